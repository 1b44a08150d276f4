-- The table `event` that Fivetran's connector makes, for what is built on it.
SELECT
    event_key AS _fivetran_id,
    _airbyte_extracted_at AS _fivetran_synced,
    event AS name,
    time,
    resolved_distinct_id AS distinct_id,
    insert_id,
    mp_processing_time_ms,
    CAST(to_json(events) AS text) AS properties,
{%- for column in [
    'app_build_number', 'app_version_string', 'bluetooth_enabled', 'bluetooth_version', 'brand', 'browser',
    'browser_version', 'carrier', 'city', 'current_url', 'device', 'device_id', 'distinct_id_before_identity',
    'google_play_services', 'has_nfc', 'has_telephone', 'initial_referrer', 'initial_referring_domain',
    'lib_version', 'manufacturer', 'model', 'mp_country_code', 'mp_keyword', 'mp_lib', 'os', 'os_version',
    'radio', 'referrer', 'referring_domain', 'region', 'screen_dpi', 'screen_height', 'screen_width',
    'search_engine', 'wifi'
] %}
    {{ column }}{% if not loop.last %},{% endif %}
{%- endfor %}
FROM {{ ref('resolved_events') }} AS events
