-- Every event once, with the person who did it and the project's day.
SELECT
    events.*,
    coalesce(identity_map.resolved_distinct_id, events.distinct_id) AS resolved_distinct_id,
    CAST(
        to_timestamp(extract(epoch FROM events.time)) AT TIME ZONE '{{ var("time_zone") }}' AS date
    ) AS project_day
FROM {{ ref('events') }} AS events
LEFT JOIN {{ ref('identity_map') }} AS identity_map ON identity_map.distinct_id = events.distinct_id
