from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest
import requests

QUERY = "/api/query/events/properties/top"


@pytest.fixture
def limited(emulator: Any) -> Any:
    emulator.control.set_clock("2026-03-10T12:00:00Z", frozen=True)
    emulator.control.configure(quota=True)
    return emulator


def test_the_sixty_first_query_in_an_hour_is_refused_as_recorded(limited: Any) -> None:
    for _ in range(60):
        assert limited.get(QUERY).status_code == 200
    limited.control.advance(600)
    response = limited.get(QUERY, limit=5)
    assert response.status_code == 429
    assert response.headers["RateLimit-Policy"] == (
        '"project";q=60;w=3600, "project-concurrency";q=5;qu="concurrent-requests"'
    )
    assert response.headers["RateLimit"] == '"project";r=0;t=3000, "project-concurrency";r=5'
    assert response.headers["Retry-After"] == "3000"
    body = response.json()
    assert body["request"].startswith(QUERY + "?")
    assert re.match(
        r"Query rate limit exceeded for project_id: 12345678\. This request exceeded the rate "
        r"limit \(61/60 queries running in the last hour\)\. For more information",
        body["error"],
    )
    limited.control.advance(3000)
    assert limited.get(QUERY).status_code == 200


def test_refusals_and_free_requests_do_not_count(limited: Any) -> None:
    limited.control.configure(query_per_hour=2)
    limited.get(QUERY, auth=("who", "what"))
    limited.control.configure(plan="free")
    assert limited.get(QUERY).status_code == 402
    limited.control.configure(plan="growth")
    assert limited.app("me").status_code == 200
    assert limited.get("/api/query/annotations").status_code != 429
    assert [limited.get(QUERY).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert len(limited.control.quota()["query"]["started"]) == 2


def test_a_refused_parameter_does_count(limited: Any) -> None:
    assert limited.get(QUERY, limit="x").status_code == 400
    assert len(limited.control.quota()["query"]["started"]) == 1


def test_six_at_a_time_is_one_too_many(limited: Any) -> None:
    limited.control.add_fault("hang", QUERY, after_bytes=1, times=5, seconds=20)
    ready = threading.Barrier(6, timeout=20)

    def hold() -> None:
        with limited.session.get(
            limited.url + QUERY,
            params={"project_id": 12345678},
            auth=("demo.sa.mp-service-account", "local-service-account-secret-7"),
            stream=True,
            timeout=20,
        ):
            ready.wait()
            done.wait(20)

    done = threading.Event()
    threads = [threading.Thread(target=hold) for _ in range(5)]
    for thread in threads:
        thread.start()
    ready.wait()
    response = limited.get(QUERY)
    done.set()
    for thread in threads:
        thread.join()
    assert response.status_code == 429
    assert response.headers["RateLimit"] == '"project";r=55, "project-concurrency";r=0;t=10'
    assert response.headers["Retry-After"] == "10"
    assert "concurrency limit (6/5 queries running concurrently)" in response.json()["error"]


def test_free_requests_take_a_place_too(limited: Any) -> None:
    assert limited.get("/api/query/annotations").status_code == 200
    limited.control.configure(query_concurrency=0)
    assert limited.get("/api/query/annotations").status_code == 429


def test_load_shedding_carries_no_figures(limited: Any) -> None:
    limited.control.configure(load_shed=True)
    response = limited.get(QUERY)
    assert response.status_code == 429
    assert response.json()["error"].startswith("Query rate limit exceeded")
    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(response.headers)


def test_export_has_a_bucket_of_its_own(limited: Any) -> None:
    codes = [limited.export().status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    limited.control.advance(1)
    assert limited.export().status_code == 200
    limited.control.configure(export_per_hour=5)
    limited.control.advance(1)
    assert [limited.export().status_code for _ in range(2)] == [200, 429]
    assert limited.get(QUERY).status_code == 200


def test_lexicon_takes_five_a_minute(limited: Any) -> None:
    codes = [limited.project("schemas").status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]
    limited.control.advance(61)
    assert limited.project("schemas").status_code == 200


def test_quota_can_be_switched_off(limited: Any) -> None:
    limited.control.configure(quota=False)
    assert {limited.export().status_code for _ in range(8)} == {200}


def test_answers_can_take_their_time(limited: Any) -> None:
    limited.control.configure(query_latency=0.05, query_concurrency=1, export_latency=0.05)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(requests_get(limited))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) in ([200, 429], [200, 200])
    started = time.monotonic()
    limited.export()
    assert time.monotonic() - started > 0.05


def requests_get(client: Any) -> int:
    auth = ("demo.sa.mp-service-account", "local-service-account-secret-7")
    params = {"project_id": 12345678}
    with requests.Session() as session:
        response = session.get(client.url + QUERY, params=params, auth=auth, timeout=10)
        return int(response.status_code)


def test_good_answers_tell_what_is_left_if_they_are_to(limited: Any) -> None:
    assert "RateLimit" not in limited.get(QUERY).headers
    limited.control.configure(policy_headers=True, query_per_hour=240)
    told = limited.get(QUERY).headers
    assert told["RateLimit-Policy"].startswith('"project";q=240;w=3600')
    assert told["RateLimit"].startswith('"project";r=238;t=3600')
