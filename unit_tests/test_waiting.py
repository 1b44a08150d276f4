"""What waits cost and what is heard of them, through the real command and real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import bare, event
from unit_tests.harness import Output, multiset
from unit_tests.project import Project

EXPORT = "/api/2.0/export"
COHORTS = "/api/query/cohorts/list"
ENGAGE = "/api/query/engage"
HOURLY = {
    "status": 429,
    "headers": {"Retry-After": "3000", "RateLimit": '"project";r=0;t=3000'},
    "body": {"error": "Query rate limit exceeded (61/60 queries running in the last hour)."},
}
NO_PROXY = dict.fromkeys(
    ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), ""
) | {"NO_PROXY": "", "no_proxy": ""}


def checked(project: Project, **how: Any) -> tuple[str, str]:
    """What `check` answers: its status and its message."""
    [status] = project.run("check", **how).of("CONNECTION_STATUS")
    return status["status"], status.get("message") or ""


def transient(out: Output) -> str:
    """The sentence of a run that time mends."""
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "transient_error"
    return str(out.errors[0]["message"])


# -- outages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 522])
def test_an_outage_is_outlasted_and_no_reason_to_ask_for_less(
    project: Project, status: int
) -> None:
    project.mixpanel.add_events([event()])
    project.mixpanel.add_fault("status", EXPORT, status=status, times=9)
    out = project.sync(bare("export"), budget_s=900, first_s=1)
    assert (out.code, len(out.records())) == (0, 1), out.log
    requests = project.asked(EXPORT)[:10]
    assert len({str(request["query"]) for request in requests}) == 1


def test_an_outage_without_end_is_a_transient_error_after_a_dozen_attempts(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", EXPORT, status=503)
    out = project.sync(bare("export"), budget_s=900, first_s=1)
    assert "503" in transient(out)
    assert len(project.asked(EXPORT)) <= 12
    assert "Mixpanel's raw export until" in out.log


def test_streams_after_one_that_has_waited_out_all_patience_are_told_at_once(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", "/api/query", status=503)
    streams = [bare(name) for name in ("cohorts", "engage", "event_counts")]
    out = project.sync(*streams, mode="full_refresh", budget_s=900, first_s=1)
    assert out.code == 1
    assert len([e for e in project.mixpanel.journal() if e["path"].startswith("/api/query")]) <= 15


def test_a_maintenance_window_is_waited_out_by_all_streams_and_loses_nothing(
    project: Project,
) -> None:
    project.mixpanel.seed(7, events=300, days=3, profiles=20)
    project.mixpanel.set_clock("2026-03-10T14:00:00Z", frozen=True)
    project.config["start_date"] = "2026-03-08"
    streams = [bare(name) for name in ("export", "cohorts", "annotations", "event_counts")]
    whole = project.sync(*streams, mode="full_refresh")
    requests = len(project.mixpanel.journal())
    project.mixpanel.clear_journal()
    project.mixpanel.add_fault("maintenance", skip=4, seconds=2.5)
    out = project.sync(*streams, mode="full_refresh", skip_waits=False, budget_s=900, first_s=1)
    assert (out.code, whole.code) == (0, 0), out.log
    assert multiset(out.records()) == multiset(whole.records())
    assert "503" in {str(entry["status"]) for entry in project.mixpanel.journal()}
    assert len(project.mixpanel.journal()) <= requests + 3 * len(streams)


# -- bodies that hardly come -------------------------------------------------------------------

ONE_DAY = {"start_date": "2026-03-09", "end_date": "2026-03-09"}


def trickling(mixpanel: ControlClient, **fault: Any) -> None:
    """A day of some 6,000 bytes, whose export comes slowly."""
    mixpanel.configure(gzip=False)
    mixpanel.add_events([event(insert_id=f"i-{n}", filler="y" * 500) for n in range(10)])
    mixpanel.add_fault("trickle", EXPORT, **fault)


def test_a_body_below_the_lowest_speed_is_broken_and_asked_for_again(project: Project) -> None:
    trickling(project.mixpanel, bandwidth=500, times=1)
    out = project.using(**ONE_DAY).sync(bare("export"), read_s=1)
    assert (out.code, len(out.records())) == (0, 10), out.log
    assert "came too slowly" in out.log


def test_a_slow_body_above_the_lowest_speed_is_waited_for(project: Project) -> None:
    trickling(project.mixpanel, bandwidth=3_000)
    out = project.using(**ONE_DAY).sync(bare("export"), read_s=0.5)
    assert (out.code, len(out.records())) == (0, 10), out.log
    assert "came too slowly" not in out.log


# -- whoever waits -----------------------------------------------------------------------------


def test_check_answers_on_a_used_up_hour_and_says_until_when(project: Project) -> None:
    project.mixpanel.add_fault("status", "/api/query", **HOURLY)
    status, message = checked(project)
    assert status == "SUCCEEDED"
    assert "cannot be read before 20" in message
    assert "'engage'" in message
    assert "'export'" not in message
    assert len(project.asked(COHORTS)) == 1


def test_check_succeeds_though_every_quota_is_used_up(project: Project) -> None:
    project.mixpanel.add_fault("status", "/api", **HOURLY)
    status, message = checked(project)
    assert status == "SUCCEEDED"
    assert all(name in message for name in ("'export'", "'engage'", "'annotations'"))


def test_check_says_in_its_message_that_export_is_closed(project: Project) -> None:
    project.mixpanel.configure(
        forbidden=[{"path_prefix": EXPORT, "status": 403, "body": "no raw data"}]
    )
    status, message = checked(project)
    assert status == "SUCCEEDED"
    assert "Stream 'export'" in message
    assert "no raw data" in message


def test_check_has_no_message_where_there_is_nothing_to_say(project: Project) -> None:
    assert project.mixpanel.journal() == []
    assert checked(project) == ("SUCCEEDED", "")


def test_check_passes_over_a_project_that_does_not_tell_its_zone_for_the_moment(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", "/api/app/me", status=503)
    assert checked(project, tries=2)[0] == "SUCCEEDED"
    assert project.asked("/api/app/me")


def test_check_says_of_no_event_that_it_is_lacking_if_the_names_cannot_be_read(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", "/api/query/events/names", status=200, body={"names": []})
    status, message = checked(project.using(export_events=["Purchase"]))
    assert status == "SUCCEEDED"
    assert "has had no event" not in message
    assert "what the settings name is not known: Mixpanel's answer" in message


def test_check_names_events_and_funnels_that_can_bring_nothing(project: Project) -> None:
    project.mixpanel.seed(7, events=2_000, days=3, profiles=20)
    funnel = {"name": "mine", "kind": "funnel", "parameters": {"funnel_id": 4499}}
    project.config.update(export_events=["Purchas", "Page View"], reports=[funnel])
    status, message = checked(project)
    assert status == "SUCCEEDED"
    assert "'Purchas'" in message
    assert "Did you mean 'Purchase'?" in message
    assert "'Page View'" not in message
    assert "funnel 4499" in message
    assert "4411" in message


@pytest.mark.parametrize(
    "path", ["/api/query/events/properties/top", EXPORT, "/schemas", "/api/query/engage/properties"]
)
@pytest.mark.parametrize("fault", [{"status": 503}, HOURLY], ids=["outage", "quota"])
def test_discover_ends_rather_than_leave_out_columns_for_a_moments_fault(
    project: Project, path: str, fault: dict[str, Any]
) -> None:
    project.mixpanel.seed(7, events=200, days=3, profiles=20)
    prefix = f"/api/app/projects/12345678{path}" if path == "/schemas" else path
    project.mixpanel.add_fault("status", prefix, **fault)
    out = project.run("discover", tries=2)
    assert transient(out)
    assert out.of("CATALOG") == []


# -- the project's settings --------------------------------------------------------------------


def test_a_project_that_cannot_be_asked_for_the_moment_is_nobodys_fault(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.mixpanel.add_fault("status", "/api/app/me", status=503)
    assert "the project's settings" in transient(project.sync(bare("export"), tries=2))
    out = project.using(project_timezone="UTC").sync(bare("export"), tries=2)
    assert (out.code, len(out.records())) == (0, 1), out.log


# -- quota -------------------------------------------------------------------------------------


def test_a_page_that_is_refused_waits_as_long_as_mixpanel_says(project: Project) -> None:
    people = [{"$distinct_id": f"u-{n}", "$properties": {}} for n in range(40)]
    project.mixpanel.add_profiles(people)
    project.mixpanel.add_fault("status", ENGAGE, query={"page": "1"}, times=3, **HOURLY)
    out = project.using(page_size=20).sync(bare("engage"), mode="full_refresh")
    assert (out.code, len(out.records())) == (0, 40), out.log
    pages = [entry["body"].get("page") for entry in project.asked(ENGAGE)]
    assert pages.count("1") == 1 + 3
    assert "Mixpanel asked to wait" in out.log


@pytest.mark.parametrize(("limits", "in_an_hour"), [({}, True), ({"query_per_hour": 20}, False)])
def test_the_limit_that_mixpanel_names_is_used_unless_the_user_has_set_one(
    project: Project, limits: dict[str, int], *, in_an_hour: bool
) -> None:
    for number in range(80):
        project.mixpanel.add_cohort({"id": number}, ["u-1"])
    project.mixpanel.configure(quota=True, query_per_hour=100, policy_headers=True)
    out = project.using(rate_limits=limits).sync(bare("cohort_members"), mode="full_refresh")
    assert (out.code, len(out.records())) == (0, 80), out.log
    assert ("are used up" not in out.log) == in_an_hour


def test_a_wait_beyond_the_longest_ends_the_stream_and_tells_who_used_the_quota(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", COHORTS, **HOURLY)
    out = project.using(longest_wait_hours=0.5).sync(bare("cohorts"), mode="full_refresh")
    message = transient(out)
    assert "made by other clients of the project" in message
    assert len(project.asked(COHORTS)) == 1
    out = project.using(longest_wait_hours=3).sync(bare("cohorts"), mode="full_refresh")
    assert "too long" in transient(out)
    assert 1 + 3 <= len(project.asked(COHORTS)) <= 1 + 5


# -- proxies -----------------------------------------------------------------------------------

PASSWORD = "pass/w?rd#9+ \u00e9"


@pytest.mark.parametrize(
    ("name", "proxy", "word"),
    [
        ("HTTPS_PROXY", f"http://user:{PASSWORD}@proxy.invalid:99999", "address of a proxy"),
        ("https_proxy", "http://user:topsecret9@proxy.invalid:port", "address of a proxy"),
        ("https_proxy", "http://", "address of a proxy"),
        ("ALL_PROXY", "user:topsecret9@proxy.invalid:99999", "address of a proxy"),
        ("all_proxy", "gopher://user:topsecret9@proxy.invalid", "'gopher', which is not known"),
        ("HTTPS_PROXY", "socks5://user:topsecret9@proxy.invalid:1080", "Install PySocks"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "read"])
def test_a_proxy_that_can_be_none_is_named_by_its_variable_and_tells_no_password(
    project: Project, verb: str, name: str, proxy: str, word: str
) -> None:
    # An empty variable in small letters takes the other's place.
    others = {key: text for key, text in NO_PROXY.items() if key.lower() != name.lower()}
    env = {**others, name: proxy}
    project.config["api_url"] = "https://mixpanel.invalid"
    if verb == "check":
        status, message = checked(project, env=env)
        assert status == "FAILED"
        said = message
    else:
        out = project.sync(bare("cohorts"), env=env)
        assert out.errors[0]["failure_type"] == "config_error"
        message, said = out.errors[0]["message"], out.raw.decode() + out.stderr
    assert f"The environment variable {name} " in message
    assert word in message
    assert "topsecret9" not in said
    assert PASSWORD not in said


def test_a_proxy_that_is_not_on_the_way_is_not_judged(project: Project) -> None:
    env = {**NO_PROXY, "HTTPS_PROXY": "gopher://nowhere"}
    assert checked(project, env=env)[0] == "SUCCEEDED"
    assert project.mixpanel.journal()
