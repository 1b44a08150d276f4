"""What a plain loop costs: read, unpack, split, parse, rename, key, write.

    python plain.py PROJECT FROM TO

With nothing around it (no check that the body is whole, no state, no schema, no retries) and
nothing cached between records. Of the bench's events it makes the connector's records.
"""

import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from hashlib import md5

import orjson
import requests
from isal import isal_zlib

URL = "https://data.mixpanel.com/api/2.0/export"
GZIP = 31


def texts(params: dict[str, str]) -> Iterator[bytes]:
    """The body in pieces of text."""
    headers = {"Accept-Encoding": "gzip"}
    with requests.get(URL, params, headers=headers, auth=("u", "s"), stream=True) as response:  # noqa: S113
        unpacker = isal_zlib.decompressobj(GZIP)
        for piece in response.raw.stream(1 << 16, decode_content=False):
            yield unpacker.decompress(piece)


def record(line: bytes, now: int) -> bytes:
    """A line of the Airbyte protocol."""
    event = orjson.loads(line)
    data = {"event": event["event"]}
    for name, value in event["properties"].items():
        data[name[1:] if name[:1] == "$" else name] = value
    ms, own = data["time"], data["insert_id"]
    if data["distinct_id"] is not None:
        data["distinct_id"] = str(data["distinct_id"])
    who = data.get("distinct_id_before_identity") or data["distinct_id"]
    size, who = (-1, "") if who is None else (len(who), who)
    identity = f"{ms}\n{len(own)}\n{own}\n{size}\n{who}\n{event['event']}"
    data["event_key"] = md5(identity.encode(), usedforsecurity=False).hexdigest()
    moment = datetime.fromtimestamp(ms / 1000, timezone.utc)
    data["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"stream": "export", "data": data, "emitted_at": now}
    return orjson.dumps({"type": "RECORD", "record": told}, option=orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Read, and write to standard output."""
    project, first, last = sys.argv[1:]
    params = {"project_id": project, "from_date": first, "to_date": last, "time_in_ms": "true"}
    now = int(datetime.now(timezone.utc).timestamp() * 1000)
    rest = b""
    for text in texts(params):
        *lines, rest = (rest + text).split(b"\n")
        sys.stdout.buffer.write(b"".join([record(line, now) for line in lines]))


if __name__ == "__main__":
    main()
