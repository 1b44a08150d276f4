"""Mixpanel's own properties and their types (API docs: reserved and default properties).

The documentation gives no types; they follow its examples and the sources of the SDKs. Where SDKs
differ, a column takes numbers and texts: destinations make it a text column, which loses neither,
as one of numbers would. Known to differ:

- `$browser_version`: a number from the web SDK, a text from others.
- `$app_build_number`, `$app_release`: a number from Android before 5.8.7 (March 2021), a text from
  later versions and from iOS.
- `$os_version`: a text; from React Native without its native parts Android's API level, a number.
- `$ae_session_length`: a number; a text from early versions of Android's automatic events.
- `$android_app_version_code`: a text from the SDK, a number from what else sends it.

`$screen_dpi` has fractions from Unity, and from Segment, which sends a ratio; heights and widths
are pixels here and points there, which need not be whole.
"""

from __future__ import annotations

from collections.abc import Mapping


def _by_name(names_by_type: Mapping[str, str]) -> dict[str, str]:
    return {name: json_type for json_type, names in names_by_type.items() for name in names.split()}


EVENT_PROPERTIES: Mapping[str, str] = _by_name(
    {
        "string": """
            $device_id $user_id $distinct_id_before_identity $identified_id $anon_id alias
            $preshuffle_distinct_id $failure_reason $failure_description $identity_failure_reason
            mp_original_distinct_id mp_original_event_name $mp_api_endpoint $city $region
            mp_country_code mp_lib $lib_version mp_sent_by_lib_version $os $browser
            $app_version_string $device $current_url $referrer
            $referring_domain $initial_referrer $initial_referring_domain $search_engine mp_keyword
            utm_source utm_medium utm_campaign utm_content utm_term $manufacturer $brand $model
            $watch_model $carrier $radio $bluetooth_version $google_play_services $origin_start
            $origin_end $source $partner_id $warehouse_type $warehouse_table $mp_experiment_name
        """,
        "number or string": """
            $browser_version $app_build_number $os_version
            $warehouse_import_id $warehouse_import_job_id $warehouse_import_run_id
        """,
        "integer": "$mp_api_timestamp_ms mp_processing_time_ms $mp_event_size $event_count",
        "number": "$duration $duration_s $screen_height $screen_width $screen_dpi",
        "boolean": """
            $is_reshuffled $import $mp_is_forwarded $wifi $bluetooth_enabled $has_nfc $has_telephone
        """,
        "array of strings": "$distinct_ids",
    }
)
"""JSON type, by raw name, of Mixpanel's own event properties that any project may have."""

FURTHER_EVENT_PROPERTIES: Mapping[str, str] = _by_name(
    {
        # Further campaign parameters and click ids, and what page views hold, of the web SDK;
        # automatic events of mobile SDKs.
        "string": """
            utm_id utm_source_platform utm_campaign_id utm_creative_format utm_marketing_tactic
            dclid fbclid gclid ko_click_id li_fat_id msclkid sccid ttclid twclid wbraid
            current_page_title current_domain current_url_path current_url_protocol
            current_url_search $app_version $ae_updated_version $ae_crashed_reason $ae_iap_name
            $ae_iap_price
        """,
        "number or string": "$app_release $ae_session_length",
        "number": "$ae_iap_quantity",
        "boolean": "$had_persisted_distinct_id $mp_autocapture",
    }
)
"""The same for those of some features and older SDKs: columns only if the project has them."""

PROFILE_PROPERTIES: Mapping[str, str] = _by_name(
    {
        "string": """
            $name $first_name $last_name $email $phone $avatar $created $mp_first_event_time
            $last_seen $city $region $country_code $timezone $geo_source $os $browser $lib_version
            $android_lib_version $ios_lib_version $swift_lib_version $android_os $android_os_version
            $ios_version $android_app_version $ios_app_release
            $ios_app_version $initial_referrer $initial_referring_domain initial_utm_source
            initial_utm_medium initial_utm_campaign initial_utm_content initial_utm_term
            initial_utm_id initial_utm_source_platform initial_utm_campaign_id
            initial_utm_creative_format initial_utm_marketing_tactic
            $android_manufacturer $android_brand $android_model $ios_device_model
            $ae_first_app_open_date
        """,
        "number or string": "$browser_version $android_app_version_code",
        "number": "$ae_total_app_sessions $ae_total_app_session_length",
        "array": "$transactions",
    }
)
"""JSON type of each of Mixpanel's own profile properties, by raw name."""
