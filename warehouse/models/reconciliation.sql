-- What landed against what Mixpanel counts, by day of the project and event, and why they differ if they do.
WITH counted AS (
    SELECT DISTINCT ON (date, event)
        date AS day,
        event,
        count AS in_mixpanel,
        to_timestamp(extract(epoch FROM _airbyte_extracted_at)) AS counted_at
    FROM {{ source('mixpanel', 'event_counts') }}
    ORDER BY date, event, _airbyte_extracted_at DESC
),

landed AS (
    SELECT
        events.project_day AS day,
        events.event,
        count(*) AS in_warehouse,
        sum(copies.landed) AS landed,
        count(*) FILTER (
            WHERE events.mp_processing_time_ms > extract(epoch FROM counted.counted_at) * 1000
        ) AS late
    FROM {{ ref('resolved_events') }} AS events
    JOIN (
        SELECT event_key, count(*) AS landed
        FROM {{ source('mixpanel', 'export') }}
        GROUP BY event_key
    ) AS copies ON copies.event_key = events.event_key
    LEFT JOIN counted ON counted.day = events.project_day AND counted.event = events.event
    GROUP BY events.project_day, events.event
),

compared AS (
    SELECT
        coalesce(counted.day, landed.day) AS day,
        coalesce(counted.event, landed.event) AS event,
        counted.in_mixpanel,
        coalesce(landed.in_warehouse, 0) AS in_warehouse,
        CAST(coalesce(landed.landed, 0) AS bigint) AS landed,
        coalesce(landed.late, 0) AS late,
        counted.counted_at AT TIME ZONE '{{ var("time_zone") }}'
            < CAST(coalesce(counted.day, landed.day) AS timestamp) + INTERVAL '1 day' AS is_open
    FROM counted
    FULL JOIN landed ON landed.day = counted.day AND landed.event = counted.event
),

judged AS (
    SELECT
        *,
        CASE
            WHEN in_mixpanel IS NULL THEN 'not counted'
            WHEN in_mixpanel = in_warehouse THEN 'equal'
            WHEN in_mixpanel > in_warehouse - late AND in_mixpanel <= landed - late THEN 'copies'
            WHEN in_mixpanel = in_warehouse - late THEN 'late'
            WHEN is_open THEN 'open day'
            WHEN in_warehouse = 0 THEN 'not landed'
            WHEN in_mixpanel > in_warehouse THEN 'fewer'
            ELSE 'more'
        END AS verdict
    FROM compared
)

SELECT
    day,
    event,
    in_mixpanel,
    in_warehouse,
    verdict,
    CASE verdict
        WHEN 'equal' THEN 'The two agree.'
        WHEN 'copies' THEN 'Mixpanel still counts copies of the same event; the warehouse counts each once.'
        WHEN 'late' THEN 'The rest came in after Mixpanel had been asked for its count of this day.'
        WHEN 'open day' THEN 'The day was not over when it was counted; the next sync counts it again.'
        WHEN 'not counted' THEN 'event_counts has no row: not read for this day, or Mixpanel does not list the name.'
        WHEN 'not landed' THEN 'None landed: export has not read the day, or its settings leave this event out.'
        WHEN 'fewer' THEN 'Events lack, unless they are copies that the destination merged, or export_where leaves them out.'
        ELSE 'Mixpanel has deleted or hidden events since, or late ones came after the last count of this day.'
    END AS reason
FROM judged
