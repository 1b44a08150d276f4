"""What the settings name and the project does not have."""

from __future__ import annotations

from source_mixpanel.api.missing_names import missing_events, missing_funnels

EVENTS = ["Purchase", "Page View", "Sign Up"]


def test_an_event_that_there_is_not_is_told_with_names_that_are_spelt_alike() -> None:
    [sentence] = missing_events({"export": ["Purchas", "Sign Up"]}, EVENTS)
    assert "'Purchas'" in sentence
    assert sentence.endswith("Did you mean 'Purchase'?")


def test_letter_case_counts_for_mixpanel_and_is_forgiven_in_the_hint() -> None:
    [sentence] = missing_events({"export": ["PAGE VIEW"]}, EVENTS)
    assert sentence.endswith("Did you mean 'Page View'?")


def test_nothing_near_makes_no_hint_and_mixpanels_own_events_are_taken_as_they_are() -> None:
    [sentence] = missing_events({"export": ["zzz", "$session_start"]}, EVENTS)
    assert sentence.endswith("since the start.")


def test_a_funnel_that_there_is_not_is_told_with_those_that_there_are() -> None:
    there = {4411: "Checkout", 9000: "Onboarding"}
    [sentence] = missing_funnels({"mine": 4412, "good": 4411}, there)
    assert "'mine'" in sentence
    assert "4412" in sentence
    assert "4411 (Checkout)" in sentence
    assert "Onboarding" not in sentence
    assert next(missing_funnels({"mine": 1}, {})).endswith("It has none.")
