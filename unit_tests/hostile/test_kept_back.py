"""What the user keeps back is nowhere in what the connector prints."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.texts.json_lines import dump
from source_mixpanel.texts.masking import NOT_SHOWN
from unit_tests.builders import bare
from unit_tests.harness import Output
from unit_tests.hostile.private_worlds import (
    COMPANY,
    EXCLUDED,
    NUMBER,
    PEOPLE,
    PUBLIC,
    SALT,
    STREAMS,
    Private,
    damaged,
    kept_back,
    marks_of,
    plant,
    privates,
)
from unit_tests.hostile.test_values import EXPORT, one_day
from unit_tests.hostile.values import EXAMPLES
from unit_tests.project import Project

NAME, VALUE = "qzname", "qzvalue"
PRIVATE = f'"{NAME}":"{VALUE}"'
LINE = f'{{"event":"Odd","properties":{{"time":1773057600000,"distinct_id":"u",{PRIVATE}}}}}\n'
ENGAGE = "/api/query/engage"
DAMAGED = ["export", "engage", "cohort_members", "groups", "funnels"]

syncs = settings(max_examples=max(5, EXAMPLES // 3))


@pytest.fixture
def private(project: Project) -> Project:
    """Read by settings that keep a property back."""
    return one_day(project, "columns").using(exclude_properties=[f"{NAME[:-1]}*"])


def all_told(out: Output) -> str:
    """Everything that a person or a platform gets to see, as it is and unescaped."""
    told = json.dumps(out.messages, ensure_ascii=False)
    return f"{out.raw.decode()}\n{told}\n{out.stderr}"


def verbs(project: Project, *streams: str) -> Iterator[Output]:
    """Every verb; the sync reads these streams."""
    yield project.run("check", tries=2)
    yield project.run("discover", tries=2)
    yield project.sync(*map(bare, streams), mode="full_refresh", tries=2)


BODIES = {
    "a line is cut": LINE[:-9],
    "the last line has no newline": LINE + LINE[:-1],
    "the last line is no event": LINE + LINE.replace("event", "evil"),
    "a line amid others is no JSON": f"{LINE}{NAME} {VALUE}\n{LINE}",
    "a line amid others is none but by its ends": f"{LINE}{{{NAME} {VALUE}}}\n{LINE}",
    "a line amid others is no event": LINE + LINE.replace("event", "evil") + LINE,
    "a line amid others has no properties": f'{LINE}{{"event":"a",{PRIVATE}}}\n{LINE}',
    "a line amid others is too deep": f'{LINE}{{"event":{"[" * 2000}{PRIVATE}\n{LINE}',
    "an error and half an event": f'{LINE}{{"error": "no"}}{LINE[:-9]}',
    "an error of many parts": f'{LINE}{{"error": "no", "data": {{{PRIVATE}}}',
    "an array": f"[{{{PRIVATE}}}]",
    "a text": f'"{NAME} {VALUE}"',
    "an object": f"{{{PRIVATE}}}",
    "no results": f'{{"status":"ok","results":{{{PRIVATE}}}}}',
    "elements that are no objects": f'{{"status":"ok","total":2,"results":["{VALUE}","{NAME}"]}}',
    "elements without ids": f'{{"status":"ok","total":1,"results":[{{{PRIVATE}}}]}}',
    "an element is damaged": f'{{"status":"ok","results":[{{}}, {{{PRIVATE} {NAME}: {VALUE}}}]}}',
    "an element is damaged, far into a page": (
        f'{{"status":"ok",{" " * 70_000}"results":[{{}}, {{{PRIVATE} {NAME}: {VALUE}}}]}}'
    ),
    "the end is missing": f'{{"status":"ok","results":[{{"$distinct_id":"u",{PRIVATE}',
    "what follows the end": f'{{"status":"ok","results":[]}}{{{PRIVATE}}}',
}


def told_of(project: Project, body: str, status: int = 200) -> str:
    """All that every verb tells where Mixpanel answers for data in this way."""
    for path in (EXPORT, "/api/query/", "/api/app/projects/"):
        project.mixpanel.add_fault("status", path, status=status, body=body)
    outs = list(verbs(project, *DAMAGED))
    assert outs[-1].errors
    return "".join(map(all_told, outs))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_damaged_answers_are_told_without_what_is_in_them(private: Project, body: str) -> None:
    told = told_of(private, body)
    assert NAME not in told
    assert VALUE not in told


@pytest.mark.parametrize("status", [206, 302])
def test_what_comes_under_an_odd_status_may_be_data(private: Project, status: int) -> None:
    told = told_of(private, LINE, status)
    assert NAME not in told
    assert VALUE not in told


@pytest.mark.parametrize("body", [LINE[:-9], BODIES["an element is damaged"]])
def test_a_remark_stands_where_data_would_be_shown(private: Project, body: str) -> None:
    assert NOT_SHOWN in told_of(private, body)
    told = told_of(one_day(private).using(exclude_properties=[]), body)
    assert NOT_SHOWN not in told
    assert NAME in told


def test_what_the_server_says_to_a_request_is_told_all_the_same(private: Project) -> None:
    private.mixpanel.add_fault("status", EXPORT, status=200, body='{"error": "too much of it"}\n')
    private.mixpanel.add_fault("status", ENGAGE, status=400, body='{"error": "not like this"}')
    *_, out = verbs(private, "export", "engage")
    assert "too much of it" in out.log
    assert "not like this" in out.log


class _Unframed(BaseHTTPRequestHandler):
    """Says that its answers come in chunks, and sends them as they are."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(LINE.encode())
        self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def unframed() -> Iterator[str]:
    """The URL of a server whose every answer is damaged where its chunks begin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Unframed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_broken_transport_is_told_without_what_it_carried(private: Project) -> None:
    with unframed() as url:
        for out in verbs(private.using(api_url=url), *DAMAGED):
            told = all_told(out)
            assert "InvalidChunkLength" in told or "broke" in told
            assert NAME not in told
            assert VALUE not in told


def hashed(value: Any) -> str:
    """As anybody computes it who has the salt."""
    text = dump(value)
    return hmac.new(SALT.encode(), text, hashlib.sha256).hexdigest()


def leaks(out: Output, marks: list[str]) -> set[str]:
    told = all_told(out)
    return {mark for mark in marks if mark in told}


@given(
    privates(),
    st.sampled_from(["columns", "object"]),
    st.sampled_from(["native", "string"]),
    st.booleans(),
)
@syncs
def test_no_name_or_value_that_is_kept_back_comes_out_of_any_verb(
    project: Project,
    properties: list[Private],
    layout: str,
    types: str,
    by_default: bool,  # noqa: FBT001 - drawn
) -> None:
    plant(project.mixpanel, properties)
    marks = marks_of(properties)
    shape: dict[str, Any] = {"property_layout": layout, "property_types": types}
    shape |= {"select_properties_by_default": by_default}
    older = project.using(**shape, event_timestamps="utc").discover()
    private = project.using(**kept_back(properties), **shape)
    found = private.run("discover")
    assert leaks(found, marks) == set()
    assert leaks(private.run("check"), marks) == set()
    # Catalogs from before the settings have columns for what never comes out.
    for streams in (found.streams(), older):
        out = private.sync(*[streams[name] for name in STREAMS], mode="full_refresh")
        assert out.code == 0, out.log
        assert leaks(out, marks) == set()
        assert [len(out.records(name)) for name in STREAMS] == [7, 3, 3, 1, 1]
        _check_public(out.records("export") + out.records("engage"), layout)
        _check_hashes(out, properties, layout)


def _check_public(rows: list[dict[str, Any]], layout: str) -> None:
    """What nobody keeps back is there."""
    held_in = [row["properties"] if layout == "object" else row for row in rows]
    assert len({row[PUBLIC] for row in held_in}) == len(rows)


def _check_hashes(out: Output, properties: list[Private], layout: str) -> None:
    """Ids are the same in every stream, and values are their hashes."""
    ids = {name: {row["distinct_id"] for row in out.records(name)} for name in STREAMS[:-1]}
    assert ids["engage"] == {hashed(who) for who in PEOPLE}
    assert ids["export"] == ids["engage"] | {hashed(str(NUMBER))}
    assert ids["groups"] == {hashed(COMPANY)}
    assert ids["cohort_members"] == {hashed(who) for who in [*PEOPLE[:2], COMPANY]}
    for private in properties if layout == "object" else []:
        values = {row["properties"].get(private.name) for row in out.records("export")}
        assert values == ({None} if private.fate == EXCLUDED else set(map(hashed, private.values)))


@given(st.data())
@syncs
def test_no_damaged_answer_gives_away_what_is_kept_back(
    project: Project, data: st.DataObject
) -> None:
    properties = data.draw(privates())
    plant(project.mixpanel, properties)
    private = project.using(**kept_back(properties))
    private.discover()
    path, body = data.draw(damaged(properties))
    project.mixpanel.add_fault("status", path, status=200, body=body)
    marks = marks_of(properties)
    for verb in ("check", "discover"):
        out = private.run(verb, tries=2)
        assert leaks(out, marks) == set()
    out = private.sync(*STREAMS, mode="full_refresh", tries=2)
    assert leaks(out, marks) == set()
