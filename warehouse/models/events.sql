-- Every event once: of the rows of one key, the one that was read last.
SELECT DISTINCT ON (event_key) *
FROM {{ source('mixpanel', 'export') }}
ORDER BY event_key, _airbyte_extracted_at DESC
