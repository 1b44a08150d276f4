from __future__ import annotations

import base64
from typing import Any

import pytest

from mixpanel_emulator.auth import Presented, read_header
from mixpanel_emulator.options import CREDENTIALS

DAYS = {"from_date": "2026-03-01", "to_date": "2026-03-02"}
QUERY = "/api/query/events/properties/top"
EXPORT = "/api/2.0/export"


class Header:
    """A requests auth callable that sends an Authorization header as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = self._text
        return request


def basic(text: str) -> Header:
    return Header("Basic " + base64.b64encode(text.encode()).decode())


BEARER = Header(f"Bearer {CREDENTIALS.access_token}")
RAW_ACCOUNT = Header(f"Basic {CREDENTIALS.username}:{CREDENTIALS.secret}")
WITH_COLON = basic(f"{CREDENTIALS.api_secret}:")
WITHOUT_COLON = basic(CREDENTIALS.api_secret)


def test_service_account_needs_its_project(emulator: Any) -> None:
    assert emulator.get(EXPORT, **DAYS).status_code == 200
    assert emulator.get(QUERY).status_code == 200
    assert emulator.get(EXPORT, project_id=None, **DAYS).status_code == 400
    assert emulator.get(QUERY, project_id=None).status_code == 400
    assert emulator.get(QUERY, project_id="x").status_code == 400
    assert emulator.get(QUERY, project_id=999).status_code == 401
    assert emulator.app("projects/999/schemas").status_code == 403


@pytest.mark.parametrize("auth", [WITH_COLON, WITHOUT_COLON])
def test_project_secret_opens_query_and_export_but_not_app(emulator: Any, auth: Any) -> None:
    assert emulator.get(EXPORT, auth=auth, project_id=None, **DAYS).status_code == 200
    assert emulator.get(QUERY, auth=auth, project_id=None).status_code == 200
    assert emulator.app("me", auth=auth).status_code == 401


def test_project_secret_with_project_id_is_refused_on_export(emulator: Any) -> None:
    assert emulator.get(EXPORT, auth=WITH_COLON, **DAYS).status_code == 400
    assert emulator.get(QUERY, auth=WITH_COLON).status_code == 200
    emulator.control.configure(secret_with_project_id_error=False)
    assert emulator.get(EXPORT, auth=WITH_COLON, **DAYS).status_code == 200


def test_bearer_opens_query_app_and_unless_forbidden_export(emulator: Any) -> None:
    assert emulator.get(QUERY, auth=BEARER).status_code == 200
    assert emulator.app("me", auth=BEARER).status_code == 200
    assert emulator.get(EXPORT, auth=BEARER, **DAYS).status_code == 200
    emulator.control.configure(export_bearer=False)
    assert emulator.get(EXPORT, auth=BEARER, **DAYS).status_code == 401


def test_basic_without_base64_is_taken(emulator: Any) -> None:
    assert emulator.get(QUERY, auth=RAW_ACCOUNT).status_code == 200


@pytest.mark.parametrize(
    "auth",
    [None, basic("who:what"), basic(f"{CREDENTIALS.token}:"), Header("Bearer no"), Header("x")],
)
def test_anything_else_is_401(emulator: Any, auth: Any) -> None:
    query = emulator.get(QUERY, auth=auth)
    assert query.status_code == 401
    assert query.json()["request"].startswith(QUERY)
    assert query.json()["error"]
    app = emulator.app("me", auth=auth)
    assert (app.status_code, app.json()["status"]) == (401, "error")
    assert emulator.get(EXPORT, auth=auth, **DAYS).status_code == 401


def test_export_can_say_400_instead(emulator: Any) -> None:
    emulator.control.configure(export_auth_error="400")
    response = emulator.get(EXPORT, auth=basic("who:what"), **DAYS)
    assert (response.status_code, response.text) == (400, "Unable to authenticate request")
    assert emulator.get(QUERY, auth=basic("who:what")).status_code == 401


def test_an_expired_service_account_is_unauthorised(emulator: Any) -> None:
    emulator.control.configure(service_account_expired=True)
    assert emulator.get(QUERY).status_code == 401
    assert emulator.get(EXPORT, **DAYS).status_code == 401
    assert emulator.app("me").status_code == 401


def test_a_service_account_outside_the_project(emulator: Any) -> None:
    emulator.control.configure(service_account_in_project=False)
    assert emulator.get(QUERY).status_code == 401
    assert emulator.get(EXPORT, **DAYS).status_code == 401
    assert emulator.project("annotations").status_code == 403
    assert emulator.app("me").json()["results"]["projects"] == {}
    assert emulator.app("projects/metadata/index").json()["results"] == {}


def test_forbidden_endpoints_answer_as_told(emulator: Any) -> None:
    entry = {
        "path_prefix": "/api/app/me",
        "status": 403,
        "body": {"status": "error", "error": "no"},
    }
    page = {"path_prefix": "/api/2.0/export", "status": 503, "body": "<html>busy</html>"}
    emulator.control.configure(forbidden=[entry, page])
    assert emulator.app("me").json() == entry["body"]
    response = emulator.get(EXPORT, **DAYS)
    assert (response.status_code, response.text) == (503, "<html>busy</html>")


def test_both_query_prefixes_lead_to_the_same_place(emulator: Any) -> None:
    assert emulator.get("/api/2.0/events/properties/top").status_code == 200


def test_header_reading() -> None:
    assert read_header("Basic !!!") == Presented()
    assert read_header(None) == Presented()
    assert read_header("Bearer t") == Presented("bearer", "t")
