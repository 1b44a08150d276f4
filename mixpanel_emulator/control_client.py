"""A client of the control plane; the standard library is all it needs."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any


class ControlError(RuntimeError):
    """The emulator refused a control request."""


class ControlClient:
    """Steers a running emulator over HTTP."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/") + "/_emulator/"
        # The server's certificate is a throw-away of the test; there is nobody to verify.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)
        )

    def _send(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)  # noqa: S310 - the emulator's own URL
        try:
            with self._opener.open(request) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.read().decode()) from None

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self._send(method, path, body))

    def reset(self) -> None:
        """Empty the world; clear faults, journal, quotas, sessions; back to the start settings."""
        self._call("POST", "reset", {})

    def seed(
        self,
        seed: int,
        events: int | None = None,
        days: int | None = None,
        profiles: int | None = None,
    ) -> dict[str, Any]:
        """Empty the world's data and grow it from a seed; returns counts."""
        options = {"seed": seed, "events": events, "days": days, "profiles": profiles}
        body = {name: value for name, value in options.items() if value is not None}
        return dict(self._call("POST", "seed", body))

    def set_clock(self, iso: str, *, frozen: bool = False) -> None:
        """Make it this instant; time goes on from there unless frozen."""
        self._call("POST", "clock", {"now": iso, "frozen": frozen})

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._call("POST", "clock", {"advance": seconds})

    def now_ms(self) -> int:
        """The world's present in epoch milliseconds."""
        return int(self._call("GET", "clock")["now_ms"])

    def add_events(self, events: list[dict[str, Any]]) -> int:
        """Store events: {"event", "properties" with true UTC `time` in ms, "visible_at_ms"?}.

        With "has_float_time" the export writes the seconds with their fraction.
        `mp_processing_time_ms` is set from the clock unless given; None or "none" leaves it out.
        """
        return int(self._call("POST", "events", {"events": events})["added"])

    def events(self) -> list[dict[str, Any]]:
        """All stored events: event, time_ms, properties (without time), visible_at_ms."""
        lines = self._send("GET", "events").split(b"\n")
        return [json.loads(line) for line in lines if line]

    def remove_events(self, *insert_ids: Any) -> int:
        """Delete the events with these `$insert_id`s; returns how many there were."""
        return int(self._call("POST", "events/remove", {"insert_ids": insert_ids})["removed"])

    def add_fault(self, kind: str, path: str = "/", **fields: Any) -> None:
        """Script a failure; the fields are those of `mixpanel_emulator.faults.Fault`, and nth."""
        self._call("POST", "faults", {"kind": kind, "path": path, **fields})

    def faults(self) -> list[dict[str, Any]]:
        """The scripted failures with their counters."""
        return list(self._call("GET", "faults"))

    def clear_faults(self) -> None:
        """Forget all scripted failures."""
        self._call("DELETE", "faults")

    def journal(self) -> list[dict[str, Any]]:
        """The requests seen, in order of arrival; control requests are left out."""
        return list(self._call("GET", "journal"))

    def clear_journal(self) -> None:
        """Forget the requests seen."""
        self._call("DELETE", "journal")

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Change settings (`mixpanel_emulator.settings.Settings`); returns all of them."""
        return dict(self._call("POST", "configure", changes))

    def quota(self) -> dict[str, Any]:
        """Each quota bucket: instants of counted starts, requests running, now."""
        return dict(self._call("GET", "quota"))

    def truth(self, kind: str) -> list[Any]:
        """What a complete read of a kind must give.

        Kinds: "engage", "groups:<data_group_id>", and the entity kinds of FIDELITY.md.
        """
        return list(self._call("POST", "truth/read", {"kind": kind}))

    def set_truth(self, kind: str, items: list[Any]) -> None:
        """Replace a kind's whole content."""
        self._call("POST", "truth/write", {"kind": kind, "items": items})

    def add_truth(self, kind: str, *items: Any) -> None:
        """Add to a kind's content."""
        self._call("POST", "truth/append", {"kind": kind, "items": items})

    def add_profiles(self, profiles: list[dict[str, Any]], data_group_id: str | None = None) -> int:
        """Create or replace profiles: {"$distinct_id", "$properties"}."""
        body = {"profiles": profiles, "data_group_id": data_group_id}
        return int(self._call("POST", "profiles", body)["added"])

    def add_cohort(self, cohort: dict[str, Any], members: list[str]) -> None:
        """Add a cohort (`id` at least) and the ids of its members."""
        full = {
            "project_id": 12345678,
            "name": f"Cohort {cohort['id']}",
            "description": "",
            "count": len(members),
            "created": "2026-01-02 03:04:05",
            "is_visible": 1,
            "data_group_id": None,
            **cohort,
        }
        self.add_truth("cohorts", full)
        pairs = [{"cohort_id": cohort["id"], "distinct_id": member} for member in members]
        self.add_truth("cohort_members", *pairs)

    def expire_sessions(self) -> None:
        """Let all profile sessions expire now."""
        self._call("POST", "sessions/expire", {})
