"""Whoever calls the command without knowing how is told how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from unit_tests.project import Project

ROOT = Path(__file__).parents[2]
VERBS = ("spec", "check", "discover", "read")


@dataclass(frozen=True)
class Told:
    """What a call put out, as text."""

    returncode: int
    stdout: str
    stderr: str


def _call(project: Project, *args: str) -> Told:
    running = project.start(*args[:1], config=None, more=args[1:])
    return Told(running.wait(), running.so_far().decode(), (running.folder / "stderr").read_text())


def _explains(text: str) -> None:
    for verb in VERBS:
        assert f"\n  {verb} " in text
        assert f"\n  source-mixpanel {verb}" in text
    assert '{"credentials": {"username": ' in text
    _leads_to_our_pages(text)


def _leads_to_our_pages(text: str) -> None:
    [told] = re.findall(r"^Documentation: (.*)$", text, re.MULTILINE)
    pages = re.findall(r"[\w/]+\.md", told)
    assert pages
    for page in pages:
        assert "source-mixpanel" in (ROOT / page).read_text()
    assert "://" not in text


def test_help_explains_every_command(project: Project) -> None:
    for flag in ("--help", "-h"):
        told = _call(project, flag)
        assert (told.returncode, told.stderr) == (0, "")
        _explains(told.stdout)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ([], "Say what to do: spec, check, discover, read."),
        (["sync"], "There is no command 'sync'. There are: spec, check, discover, read."),
        (["--config", "c.json"], "There is no command '--config'."),
        (["chek"], "There is no command 'chek'. Did you mean 'check'?"),
    ],
)
def test_a_call_without_a_command_says_what_there_is(
    project: Project, args: list[str], why: str
) -> None:
    told = _call(project, *args)
    # Nothing on the output that a caller parses.
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(why)
    _explains(told.stderr)


@pytest.mark.parametrize(
    ("verb", "flags"),
    [
        ("spec", []),
        ("check", ["--config"]),
        ("discover", ["--config"]),
        ("read", ["--config", "--catalog", "--state"]),
    ],
)
def test_help_of_a_command_names_its_files_and_gives_an_example(
    project: Project, verb: str, flags: list[str]
) -> None:
    told = _call(project, verb, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert f"usage: source-mixpanel {verb}" in told.stdout
    assert [
        f for f in ("--config", "--catalog", "--state") if f"\n  {f} FILE" in told.stdout
    ] == flags
    assert f"Example:\n  source-mixpanel {verb}" in told.stdout
    _leads_to_our_pages(told.stdout)


def test_nothing_leads_to_the_page_of_another_connector(project: Project) -> None:
    [spec] = project.run("spec", config=None).of("SPEC")
    assert "documentationUrl" not in spec
    assert "docs.airbyte.com" not in str(spec)
    for path in (ROOT / "source_mixpanel").rglob("*.py"):
        assert "docs.airbyte.com" not in path.read_text(), path


def test_two_dashes_before_the_command_are_passed_over(project: Project) -> None:
    """So Meltano's wrapper calls an image."""
    assert _call(project, "--", "spec").stdout.splitlines()[-1].startswith('{"type":"SPEC"')


def test_a_file_that_is_missing_from_the_call_is_named(project: Project) -> None:
    told = _call(project, "read", "--config", "config.json")
    assert (told.returncode, told.stdout) == (2, "")
    assert "--catalog" in told.stderr.splitlines()[-1]


def test_flags_that_the_platform_passes_are_taken(project: Project) -> None:
    """`--debug`, and those of Airbyte's builder, which mean nothing here."""
    assert project.sync("cohorts", more=["--debug", "--manifest-path", "m.yaml"]).code == 0


def test_the_version_is_told(project: Project) -> None:
    told = _call(project, "--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == f"source-mixpanel {version('source-mixpanel')}\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["check", "--confg", "c.json"], "check has no flag --confg. Did you mean '--config'?"),
        (["read", "--stream=export"], None),
        (["read", "--steams=export"], "read has no flag --steams. Did you mean '--streams' or"),
        (["check", "--catalog", "c.json"], "check has no flag --catalog."),
        (["read", "--config", "c.json"], "source-mixpanel read: one of the arguments --streams"),
        (["check"], "source-mixpanel check: the following arguments are required: --config"),
    ],
)
def test_a_mistyped_flag_is_told_with_the_one_that_was_meant(
    project: Project, args: list[str], sentence: str | None
) -> None:
    told = _call(project, *args)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(sentence or "source-mixpanel read: ")
    assert "--help` tells more." in told.stderr
