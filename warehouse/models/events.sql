-- Every event once: of the rows of one key, the one that was read last. They are chosen by narrow columns alone.
SELECT export.*
FROM {{ source('mixpanel', 'export') }} AS export
JOIN (
    SELECT DISTINCT ON (event_key) event_key, _airbyte_raw_id
    FROM {{ source('mixpanel', 'export') }}
    ORDER BY event_key, _airbyte_extracted_at DESC, _airbyte_raw_id
) AS newest ON newest._airbyte_raw_id = export._airbyte_raw_id
