-- How many people got how far, from any beginning: the steps in order, each after the one before.
{% set steps = var('funnel_steps') -%}
WITH step_0 AS (
    SELECT resolved_distinct_id AS who, time AS began, time AS reached
    FROM {{ ref('resolved_events') }}
    WHERE event = '{{ steps[0] | replace("'", "''") }}' AND resolved_distinct_id IS NOT NULL
)
{%- for event in steps[1:] %},

step_{{ loop.index }} AS (
    SELECT before.who, before.began, min(step.time) AS reached
    FROM step_{{ loop.index0 }} AS before
    JOIN {{ ref('resolved_events') }} AS step ON step.resolved_distinct_id = before.who
    WHERE step.event = '{{ event | replace("'", "''") }}'
        AND step.time > before.reached
        AND step.time <= before.began + INTERVAL '{{ var("funnel_days") }} days'
    GROUP BY before.who, before.began
)
{%- endfor %}
{% for event in steps %}
SELECT
    {{ loop.index0 }} AS step_index,
    '{{ event | replace("'", "''") }}' AS event,
    count(DISTINCT who) AS users
FROM step_{{ loop.index0 }}
{% if not loop.last %}UNION ALL{% endif %}
{%- endfor %}
