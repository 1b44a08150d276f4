from __future__ import annotations

import gzip
import http.client
import time
import zlib
from typing import Any

import pytest
import requests

EXPORT = "/api/2.0/export"


@pytest.fixture
def filled(emulator: Any, make_event: Any) -> Any:
    """Ten events of about 300 bytes, so that gzip is in play."""
    emulator.control.add_events([make_event(n=n, filler="y" * 250) for n in range(10)])
    return emulator


def raw(client: Any, encoding: str = "identity") -> tuple[dict[str, str], bytes, bool]:
    """The bytes of an export as they come; the last value says whether HTTP ended cleanly."""
    client.session.headers["Accept-Encoding"] = encoding
    params = {"project_id": 12345678, "from_date": "2026-03-01", "to_date": "2026-03-10"}
    auth = ("demo.sa.mp-service-account", "local-service-account-secret-7")
    with client.session.get(
        client.url + EXPORT, params=params, auth=auth, stream=True, timeout=20
    ) as response:
        body, whole = b"", True
        try:
            for piece in response.raw.stream(1024, decode_content=False):
                body += piece
        except Exception:  # noqa: BLE001 - any breakage is what is asked for
            whole = False
        return dict(response.headers), body, whole


def test_status_with_headers_and_body(filled: Any) -> None:
    filled.control.add_fault(
        "status", EXPORT, status=429, headers={"Retry-After": "7"}, body={"error": "slow"}, times=1
    )
    response = filled.export()
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert response.json() == {"error": "slow"}
    assert filled.export().status_code == 200


def test_html_errors(filled: Any) -> None:
    filled.control.add_fault("status", EXPORT, status=502, body="<html>Bad gateway</html>")
    response = filled.export()
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")


def test_skip_times_nth_and_query_matching(filled: Any) -> None:
    filled.control.add_fault("status", EXPORT, status=500, skip=1, times=2)
    assert [filled.export().status_code for _ in range(4)] == [200, 500, 500, 200]
    filled.control.clear_faults()
    filled.control.add_fault("status", EXPORT, status=500, nth=2)
    assert [filled.export().status_code for _ in range(3)] == [200, 500, 200]
    filled.control.clear_faults()
    filled.control.add_fault("status", EXPORT, status=500, query={"from_date": "2026-03-02"})
    assert filled.export().status_code == 200
    assert filled.export("2026-03-02").status_code == 500
    assert filled.get("/api/query/events/properties/top").status_code == 200


@pytest.mark.parametrize(
    ("kind", "marker"),
    [
        ("terminated_early", b"terminated early\n"),
        ("export_terminated_early", b"export terminated early\n"),
        ("error_line", b'{"error":'),
    ],
)
@pytest.mark.parametrize(("after", "whole"), [(0, 0), (3, 3), (-1, 9), (99, 10)])
def test_markers_take_the_place_of_the_rest(
    filled: Any, kind: str, marker: bytes, after: int, whole: int
) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault(kind, EXPORT, after_lines=after)
    _, body, ended = raw(filled)
    assert ended
    lines = sound.split(b"\n")[:whole]
    start = b"".join(line + b"\n" for line in lines)
    assert body.startswith(start + marker)
    assert body.count(b"\n") <= whole + 1


def test_a_bad_line_in_the_middle(filled: Any) -> None:
    filled.control.add_fault("bad_line_middle", EXPORT, after_lines=4)
    _, body, _ = raw(filled)
    lines = body.split(b"\n")
    assert len(lines) == 12
    assert not lines[4].startswith(b"{")
    assert all(line.startswith(b"{") for line in lines[:4] + lines[5:-1])


def test_cut_in_the_middle_of_a_line_and_without_last_newline(filled: Any) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault("cut_mid_line", EXPORT, after_lines=2, times=1)
    _, body, ended = raw(filled)
    assert ended
    assert body.count(b"\n") == 2
    assert sound.startswith(body)
    filled.control.add_fault("cut_mid_line", EXPORT, after_bytes=100, times=1)
    assert raw(filled)[1] == sound[:100]
    filled.control.add_fault("missing_last_newline", EXPORT, times=1)
    assert raw(filled)[1] == sound[:-1]


def test_gzip_without_trailer_or_end(filled: Any) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault("gzip_no_trailer", EXPORT, times=1)
    headers, body, ended = raw(filled, "gzip")
    assert ended
    assert headers["content-encoding"] == "gzip"
    unpacker = zlib.decompressobj(31)
    assert unpacker.decompress(body) == sound
    assert not unpacker.eof
    filled.control.add_fault("gzip_cut", EXPORT, after_lines=5, times=1)
    _, body, ended = raw(filled, "gzip")
    unpacker = zlib.decompressobj(31)
    assert ended
    assert unpacker.decompress(body).count(b"\n") == 5
    assert not unpacker.eof
    filled.control.add_fault("gzip_cut", EXPORT, after_bytes=40, times=1)
    assert len(raw(filled, "gzip")[1]) == 40
    assert gzip.decompress(raw(filled, "gzip")[1]) == sound


@pytest.mark.parametrize("kind", ["chunk_cut", "reset"])
def test_connections_break_where_told(filled: Any, kind: str) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault(kind, EXPORT, after_lines=3, times=1)
    _, body, ended = raw(filled)
    assert not ended
    assert sound.startswith(body)
    filled.control.add_fault(kind, EXPORT, after_bytes=0, times=1)
    _, body, ended = raw(filled)
    assert (body, ended) == (b"", False)
    filled.control.add_fault(kind, EXPORT, after_lines=3, times=1)
    _, body, ended = raw(filled, "gzip")
    assert not ended


def test_a_body_may_be_shorter_than_its_length_says(filled: Any) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault("length_cut", EXPORT, after_bytes=100, times=1)
    headers, body, ended = raw(filled)
    assert (body, ended) == (sound[:100], False)
    assert headers["content-length"] == str(len(sound))
    filled.control.add_fault("length_cut", EXPORT, after_share=0.5, times=1)
    headers, body, ended = raw(filled, "gzip")
    assert (len(body), ended) == (round(int(headers["content-length"]) / 2), False)


@pytest.mark.parametrize(("place", "part"), [("after_share", 0.5), ("after_bytes", -1)])
def test_a_position_may_be_a_share_or_counted_from_the_end(
    filled: Any, place: str, part: float
) -> None:
    _, sound, _ = raw(filled)
    _, packed, _ = raw(filled, "gzip")
    at = {size: round(size / 2) if part == 0.5 else size - 1 for size in map(len, (sound, packed))}
    for kind in ("cut_mid_line", "chunk_cut", "reset"):
        filled.control.add_fault(kind, EXPORT, times=1, **{place: part})
        assert raw(filled)[1] == sound[: at[len(sound)]], kind
    filled.control.add_fault("terminated_early", EXPORT, times=1, **{place: part})
    assert raw(filled)[1] == sound[: at[len(sound)]] + b"terminated early\n"
    filled.control.add_fault("gzip_cut", EXPORT, times=1, **{place: part})
    assert raw(filled, "gzip")[1] == packed[: at[len(packed)]]


def test_a_plain_answer_has_no_gzip_stream_to_break(filled: Any) -> None:
    _, sound, _ = raw(filled)
    for kind in ("gzip_cut", "gzip_no_trailer"):
        filled.control.add_fault(kind, EXPORT, after_bytes=5, times=1)
        assert raw(filled)[1:] == (sound, True)


def test_chunk_cut_loses_nothing_before_the_cut(filled: Any) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault("chunk_cut", EXPORT, times=1)
    _, body, ended = raw(filled)
    assert (body, ended) == (sound, False)


def test_reset_before_any_answer(filled: Any) -> None:
    filled.control.add_fault("reset", EXPORT, times=1)
    with pytest.raises(requests.ConnectionError):
        filled.export()
    assert filled.control.journal()[-1]["status"] is None


def test_hang_gives_up_after_its_seconds(filled: Any) -> None:
    filled.control.add_fault("hang", EXPORT, seconds=0.1, times=1)
    with pytest.raises(requests.ConnectionError):
        filled.export()
    filled.control.add_fault("hang", EXPORT, seconds=20, times=1)
    with pytest.raises(requests.ReadTimeout):
        filled.session.get(filled.url + EXPORT, timeout=0.1)
    assert filled.export().status_code == 200


def test_slow_first_byte(filled: Any) -> None:
    filled.control.add_fault("slow_first_byte", EXPORT, seconds=0.15, times=1)
    started = time.monotonic()
    assert len(filled.exported()) == 10
    assert time.monotonic() - started > 0.14


def test_a_trickling_body_takes_its_time(filled: Any) -> None:
    _, sound, _ = raw(filled)
    filled.control.add_fault("trickle", EXPORT, bandwidth=10_000, times=1)
    started = time.monotonic()
    assert raw(filled)[1:] == (sound, True)
    assert time.monotonic() - started >= 0.9 * len(sound) / 10_000


def test_maintenance_ends_by_itself_and_says_when(filled: Any) -> None:
    filled.control.add_fault("maintenance", skip=1, seconds=1.2)
    begun = time.monotonic()
    codes = [filled.export().status_code for _ in range(3)]
    assert codes == [200, 503, 503]
    told = filled.get("/api/app/me")
    assert (told.status_code, told.headers["content-type"]) == (503, "text/html")
    assert told.headers["Retry-After"] in ("1", "2")
    time.sleep(1.2)
    assert filled.export().status_code == 200
    assert time.monotonic() - begun >= 1.2


def test_empty_200_and_error_in_200(filled: Any) -> None:
    filled.control.add_fault("empty_200", EXPORT, times=1)
    assert filled.exported() == []
    filled.control.add_fault("json_error_200", EXPORT, times=1)
    assert filled.export().json() == {"error": "internal error"}
    filled.control.add_fault("json_error_200", EXPORT, times=1, body={"status": "error"})
    assert filled.export().json() == {"status": "error"}


def test_json_answers_break_too(filled: Any) -> None:
    path = "/api/query/events/properties/top"
    filled.control.add_fault("cut_mid_line", path, after_bytes=5, times=1)
    assert len(filled.get(path).content) == 5
    filled.control.add_fault("chunk_cut", path, after_bytes=5, times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, http.client.IncompleteRead)):
        filled.get(path)


def test_unknown_faults_are_refused(filled: Any) -> None:
    with pytest.raises(RuntimeError, match="kind"):
        filled.control.add_fault("sneeze")
    with pytest.raises(RuntimeError, match="colour"):
        filled.control.add_fault("reset", colour="red")


def test_requests_for_many_days_alone_may_be_hit(filled: Any) -> None:
    filled.control.add_fault("status", "/", status=504, over_days=2)
    days = [("2026-03-09", "2026-03-10"), ("2026-03-08", "2026-03-10")]
    assert [filled.export(*ends).status_code for ends in days] == [200, 504]
    assert filled.get("/api/app/me").status_code == 200
