-- Of the people who were first seen in a week, how many did anything in each week from then on.
WITH active AS (
    SELECT DISTINCT
        resolved_distinct_id AS who,
        CAST(date_trunc('week', CAST(project_day AS timestamp)) AS date) AS week
    FROM {{ ref('resolved_events') }}
    WHERE resolved_distinct_id IS NOT NULL
),

entered AS (
    SELECT who, min(week) AS week FROM active GROUP BY who
)

SELECT
    entered.week AS entered_on,
    CAST((active.week - entered.week) / 7 AS integer) AS week_index,
    count(*) AS users
FROM entered JOIN active ON active.who = entered.who
GROUP BY 1, 2
