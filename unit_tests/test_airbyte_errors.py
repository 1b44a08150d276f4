"""Whoever calls the source by way of the CDK meets the CDK's errors, without secrets."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalog, FailureType
from airbyte_cdk.sources.streams import Stream
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.airbyte_errors import airbyte_errors, kind_of
from source_mixpanel.errors import ConfigError, FailureKind, SourceError, TransientError, worst
from source_mixpanel.source import SourceMixpanel
from unit_tests.builders import bare
from unit_tests.harness import configured
from unit_tests.project import Project

_LOG = logging.getLogger("airbyte")
_WRONG = {"credentials": {"secret": "s3cr3t-0f-n0b0dy"}}
_NOTHING = ConfiguredAirbyteCatalog(streams=[])


@pytest.mark.parametrize("kind", [SourceError, ConfigError, TransientError])
def test_an_error_keeps_what_it_tells_and_where_it_comes_from(kind: type[SourceError]) -> None:
    def fails() -> None:
        raise kind("Do this.", "of that") from ValueError("at first")

    with pytest.raises(AirbyteTracedException, match=r"^Do this\.$") as caught, airbyte_errors():
        fails()
    error = caught.value
    assert (error.internal_message, kind_of(error)) == ("of that", kind.failure_type)
    assert isinstance(error.__cause__, kind)
    trace = error.as_airbyte_message().trace
    assert trace is not None
    assert trace.error is not None
    assert trace.error.failure_type == FailureType(kind.failure_type)
    stack = trace.error.stack_trace or ""
    # What the user mends has none: nobody has to read code for it.
    told = ("ValueError: at first", "in fails", f"{kind.__name__}: Do this.")
    assert [words in stack for words in told] == [kind is not ConfigError] * 3


def test_other_errors_pass_and_are_the_connectors_fault() -> None:
    with pytest.raises(KeyError) as caught, airbyte_errors():
        raise KeyError("k")
    assert kind_of(caught.value) == "system_error"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], "transient_error"),
        (["transient_error"], "transient_error"),
        (["transient_error", "config_error"], "config_error"),
        (["config_error", "system_error", "transient_error"], "system_error"),
    ],
)
def test_of_several_kinds_the_one_that_a_retry_helps_least_is_told(
    kinds: list[FailureKind], expected: FailureKind
) -> None:
    assert worst(kinds) == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda source, _: source.streams(_WRONG),
        lambda source, _: source.discover(_LOG, _WRONG),
        lambda source, _: list(source.read(_LOG, _WRONG, _NOTHING, [])),
        lambda source, missing: source.read_config(missing),
        lambda source, missing: source.read_catalog(missing),
        lambda source, missing: source.read_state(missing),
    ],
    ids=["streams", "discover", "read", "read_config", "read_catalog", "read_state"],
)
def test_each_verb_fails_in_the_cdks_way(
    call: Callable[[SourceMixpanel, str], Any], tmp_path: Path
) -> None:
    with pytest.raises(AirbyteTracedException) as caught:
        call(SourceMixpanel(), str(tmp_path / "missing.json"))
    assert caught.value.failure_type == FailureType.config_error
    assert isinstance(caught.value.__cause__, ConfigError)


def test_check_answers_instead() -> None:
    good, why = SourceMixpanel().check_connection(_LOG, _WRONG)
    assert (good, "credentials" in str(why)) == (False, True)


_LAUNCH = """
import sys
from airbyte_cdk.entrypoint import launch
from source_mixpanel import SourceMixpanel
launch(SourceMixpanel(), sys.argv[1:])
"""


def test_what_else_the_cdk_logs_has_no_secret_in_any_spelling(project: Project) -> None:
    account = project.config["credentials"]
    account["secret"] = "s3cr3t/0f n0b0dy"
    header = b64encode(f"{account['username']}:{account['secret']}".encode()).decode()
    SourceMixpanel().streams(project.config)
    spelled = (account["secret"], quote(account["secret"], safe=""), f"Basic {header}")
    assert filter_secrets(" and ".join(spelled)) == "**** and **** and ****"


@pytest.mark.parametrize("verb", ["discover", "read"])
def test_the_cdks_own_entry_point_tells_what_failed_and_no_secret(
    project: Project, tmp_path: Path, verb: str
) -> None:
    secret = project.config["credentials"]["secret"] = "s3cr3t/0f n0b0dy"
    header = b64encode(f"{project.config['credentials']['username']}:{secret}".encode()).decode()
    echo = f"Closed to {secret}, {quote(secret, safe='')} and Basic {header}"
    project.mixpanel.add_fault("status", "/api", status=403, body={"error": echo})
    files = {"config": project.config, "catalog": configured([bare("cohorts")])}
    args = [verb]
    for name in files if verb == "read" else ["config"]:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(files[name]))
        args += [f"--{name}", str(path)]
    command = [sys.executable, "-c", _LAUNCH, *args]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 1
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [
        m["trace"]["error"] for m in messages if m["type"] == "TRACE" and "error" in m["trace"]
    ]
    assert {error["failure_type"] for error in errors} == {"config_error"}
    assert "Closed to ****, **** and" in done.stdout
    for text in (secret, quote(secret, safe=""), header):
        assert text not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "call",
    [
        lambda stream: stream.get_json_schema(),
        lambda stream: list(stream.read_records()),
    ],
    ids=["get_json_schema", "read_records"],
)
def test_a_stream_fails_in_the_cdks_way(project: Project, call: Callable[[Stream], Any]) -> None:
    project.mixpanel.add_fault("status", "/api", status=403)
    [export] = [s for s in SourceMixpanel().streams(project.config) if s.name == "export"]
    with pytest.raises(AirbyteTracedException) as caught:
        call(export)
    assert caught.value.failure_type == FailureType.config_error
