-- How many people did anything, by day, week (from Monday) and month of the project.
{% for period in ['day', 'week', 'month'] -%}
SELECT
    '{{ period }}' AS period,
    CAST(date_trunc('{{ period }}', CAST(project_day AS timestamp)) AS date) AS starts_on,
    count(DISTINCT resolved_distinct_id) AS users
FROM {{ ref('resolved_events') }}
WHERE resolved_distinct_id IS NOT NULL
GROUP BY 1, 2
{% if not loop.last %}UNION ALL{% endif %}
{% endfor %}
