"""Mixpanel's own event properties and their types (API docs: reserved and default properties).

The documentation gives no types; they follow its examples and what the SDKs send. Where those send
numbers as well as texts (a browser's version), a column takes both: destinations make it a text
column, which loses neither, as one of numbers would.
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_TYPE: Mapping[str, str] = {
    "string": """
        $device_id $user_id $distinct_id_before_identity $identified_id $anon_id alias
        $preshuffle_distinct_id $failure_reason $failure_description $identity_failure_reason
        mp_original_distinct_id mp_original_event_name $mp_api_endpoint $city $region
        mp_country_code mp_lib $lib_version mp_sent_by_lib_version $os $os_version $browser
        $app_build_number $app_version_string $device $current_url $referrer
        $referring_domain $initial_referrer $initial_referring_domain $search_engine mp_keyword
        utm_source utm_medium utm_campaign utm_content utm_term $manufacturer $brand $model
        $watch_model $carrier $radio $bluetooth_version $google_play_services $origin_start
        $origin_end $source $partner_id $warehouse_type $warehouse_table $mp_experiment_name
    """,
    "number or string": """
        $browser_version $warehouse_import_id $warehouse_import_job_id $warehouse_import_run_id
    """,
    "integer": """
        $mp_api_timestamp_ms mp_processing_time_ms $mp_event_size $screen_height $screen_width
        $screen_dpi $event_count
    """,
    "number": "$duration $duration_s",
    "boolean": """
        $is_reshuffled $import $mp_is_forwarded $wifi $bluetooth_enabled $has_nfc $has_telephone
    """,
    "array": "$distinct_ids",
}

EVENT_PROPERTIES: Mapping[str, str] = {
    name: json_type for json_type, names in _BY_TYPE.items() for name in names.split()
}
"""JSON type of each of Mixpanel's own event properties, by raw name."""

_OF_PROFILES: Mapping[str, str] = {
    "string": """
        $name $first_name $last_name $email $phone $avatar $created $mp_first_event_time $last_seen
        $city $region $country_code $timezone $geo_source $os $browser $lib_version
        $android_lib_version $ios_lib_version $swift_lib_version $android_os $android_os_version
        $ios_version $android_app_version $ios_app_release
        $ios_app_version $initial_referrer $initial_referring_domain initial_utm_source
        initial_utm_medium initial_utm_campaign initial_utm_content initial_utm_term
        $android_manufacturer $android_brand $android_model $ios_device_model
    """,
    "number or string": "$browser_version $android_app_version_code",
    "array": "$transactions",
}

PROFILE_PROPERTIES: Mapping[str, str] = {
    name: json_type for json_type, names in _OF_PROFILES.items() for name in names.split()
}
"""JSON type of each of Mixpanel's own profile properties, by raw name."""
