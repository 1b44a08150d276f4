-- Sessions as Mixpanel counts them by default: by a pause, and by midnight of the project.
WITH marked AS (
    SELECT
        resolved_distinct_id, project_day, time,
        CASE
            WHEN time - lag(time) OVER (PARTITION BY resolved_distinct_id, project_day ORDER BY time)
                <= INTERVAL '{{ var("session_minutes") }} minutes' THEN 0
            ELSE 1
        END AS begins
    FROM {{ ref('resolved_events') }}
    WHERE resolved_distinct_id IS NOT NULL
),

numbered AS (
    SELECT
        *,
        sum(begins) OVER (
            PARTITION BY resolved_distinct_id, project_day ORDER BY time
        ) AS session_number
    FROM marked
)

SELECT
    resolved_distinct_id,
    project_day,
    CAST(session_number AS integer) AS session_number,
    min(time) AS started_at,
    max(time) AS ended_at,
    count(*) AS events
FROM numbered
GROUP BY resolved_distinct_id, project_day, session_number
