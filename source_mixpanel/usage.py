"""What `source-mixpanel --help` says: Airbyte's own parser names flags, and explains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_PROGRAM = "source-mixpanel"


@dataclass(frozen=True)
class _Command:
    """One of Airbyte's verbs."""

    does: str
    more: str
    flags: tuple[tuple[str, str], ...]
    example: str


DOCUMENTATION_URL = "https://docs.airbyte.com/integrations/sources/mixpanel"

_CATALOG = """\
which streams: {"streams": [{"stream": {one of discover's},
"sync_mode": "full_refresh" or "incremental",
"destination_sync_mode": "append"}, ...]}"""
_CONFIG = ("--config FILE", "the settings, a JSON object as `spec` describes it")
_DEBUG = ("--debug", "log more")
_COMMANDS = {
    "spec": _Command(
        "print which settings there are, as a JSON Schema",
        "It needs no file and asks Mixpanel nothing.",
        (_DEBUG,),
        "spec",
    ),
    "check": _Command(
        "try the settings on Mixpanel, and say what can be read",
        "The answer is a CONNECTION_STATUS line: SUCCEEDED, or FAILED and why. Streams that the\n"
        "plan or the role closes are named in the log.",
        (_CONFIG, _DEBUG),
        "check --config config.json",
    ),
    "discover": _Command(
        "print the catalog: every stream with its columns, keys and sync modes",
        "Columns are the project's own properties, so this asks Mixpanel for them.",
        (_CONFIG, _DEBUG),
        "discover --config config.json",
    ),
    "read": _Command(
        "read the streams of a configured catalog, and print their records",
        "Standard output is Airbyte's protocol, a JSON object a line: RECORD, STATE, LOG, TRACE.\n"
        "At a terminal a progress bar is on standard error (not with TERM=dumb or\n"
        "TTY_INTERACTIVE=0; NO_COLOR takes its colours). To go on where a sync ended, keep the\n"
        "last STATE line of each stream and pass them as --state.",
        (
            _CONFIG,
            ("--catalog FILE", _CATALOG),
            ("--state FILE", "the list of STATE messages of the last sync; left out, all is read"),
            _DEBUG,
        ),
        "read --config config.json --catalog catalog.json > records.jsonl",
    ),
}

_SETTINGS = """\
The smallest config.json:
  {"credentials": {"username": "...", "secret": "...", "project_id": 1234567}}
with a service account of the project (Mixpanel: Organization Settings > Service Accounts);
add "region": "EU" or "IN" if its data resides there."""


def explanation(args: Sequence[str]) -> tuple[str, int] | None:
    """What to tell whoever called with these arguments, and the exit code; None if they will do."""
    verb = next((arg for arg in args if arg in _COMMANDS), None)
    if "-h" in args or "--help" in args:
        return (_of(verb) if verb else _all()), 0
    if not args:
        return f"Say what to do: {_verbs()}.\n\n{_all()}", 2
    if args[0] not in _COMMANDS:
        return f"There is no command {args[0]!r}. There are: {_verbs()}.\n\n{_all()}", 2
    return None


def _verbs() -> str:
    return ", ".join(_COMMANDS)


def _all() -> str:
    verbs = "\n".join(f"  {verb:<9} {command.does}" for verb, command in _COMMANDS.items())
    calls = "\n".join(f"  {_PROGRAM} {command.example}" for command in _COMMANDS.values())
    return (
        f"usage: {_PROGRAM} {{{','.join(_COMMANDS)}}} [flags]\n\n"
        f"Moves what a Mixpanel project holds into a warehouse, as an Airbyte source.\n\n"
        f"Commands:\n{verbs}\n\nExamples:\n{calls}\n\n{_SETTINGS}\n\n"
        f"`{_PROGRAM} <command> --help` tells more of a command.\n"
        f"Documentation: {DOCUMENTATION_URL}\n"
    )


def _of(verb: str) -> str:
    command = _COMMANDS[verb]
    wide = max(len(flag) for flag, _ in command.flags) + 2
    flags = "\n".join(
        f"  {flag:<{wide}}" + takes.replace("\n", "\n" + " " * (wide + 2))
        for flag, takes in command.flags
    )
    needed = [flag for flag, _ in command.flags if flag in (_CONFIG[0], "--catalog FILE")]
    return (
        f"usage: {' '.join([_PROGRAM, verb, *needed])} [flags]\n\n"
        f"{verb}: {command.does}.\n\n{command.more}\n\nFlags:\n{flags}\n\n"
        f"Example:\n  {_PROGRAM} {command.example}\n\n"
        + (f"{_SETTINGS}\n\n" if _CONFIG in command.flags else "")
        + f"Documentation: {DOCUMENTATION_URL}\n"
    )
