"""`annotations` through the real entry point."""

from __future__ import annotations

import pytest

from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/app/projects/12345678/annotations"
LEGACY = "/api/query/annotations"
SECRET = {"api_secret": "local-project-secret-0123456789ab"}


@pytest.fixture
def project(project: Project) -> Project:
    user = {"id": 7, "first_name": "Ana", "last_name": "Roy"}
    tags = [{"id": 3, "name": "release"}, {"id": 4, "name": "campaign"}]
    notes = [
        {"id": 1, "date": "2011-02-03 12:00:00", "description": "long ago"},
        {"id": 2, "date": "2026-01-16T12:00:00+01:00", "description": "zoned", "tags": tags},
        {"id": 3, "date": "2026-01-16T12:00:00+01:00", "description": "same date", "user": user},
        {"id": 4, "date": "2027-05-06 00:00:00", "description": "planned", "tags": []},
    ]
    project.mixpanel.set_truth("annotations", notes)
    project.discover()
    return project


def test_every_annotation_comes_with_tags_and_user_and_its_own_date(project: Project) -> None:
    out = project.sync("annotations")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(project.mixpanel.truth("annotations"))


def test_lists_in_pages_are_read_to_their_end(project: Project) -> None:
    project.mixpanel.configure(app_page_size=1)
    out = project.sync("annotations")
    assert [row["id"] for row in out.records()] == [1, 2, 3, 4]


def test_a_cursor_without_an_end_ends_the_stream_and_says_so(project: Project) -> None:
    project.mixpanel.configure(app_page_size=2, endless_cursor=True)
    out = project.sync("annotations")
    assert out.code == 1
    assert "does not end" in out.errors[0]["message"]
    assert len(project.asked(PATH)) < 100


def test_a_project_secret_reads_the_legacy_list(project: Project) -> None:
    project.mixpanel.clear_journal()
    out = project.using(credentials=SECRET).sync("annotations")
    assert out.code == 0, out.log
    kept = ("id", "date", "description")
    want = [{key: note[key] for key in kept} for note in project.mixpanel.truth("annotations")]
    assert multiset([{key: row[key] for key in kept} for row in out.records()]) == multiset(want)
    assert project.asked(PATH) == []


def test_the_legacy_list_up_to_today_where_no_later_day_is_taken(project: Project) -> None:
    text = {"error": "to_date cannot be later than today"}
    project.mixpanel.add_fault("status", LEGACY, status=400, body=text, times=1)
    out = project.using(credentials=SECRET).sync("annotations")
    assert sorted(row["id"] for row in out.records()) == [1, 2, 3]
