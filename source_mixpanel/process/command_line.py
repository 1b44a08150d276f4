"""The command line: commands, flags, `--help`, and hints for misspelled words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import NoReturn

from source_mixpanel.texts.spelling import did_you_mean

_PROGRAM = "source-mixpanel"


@dataclass(frozen=True)
class _Flag:
    """A flag of a command.

    Attributes:
        name: Its name with dashes.
        takes: The name of its value; empty if it has none.
        means: Its help text; empty to hide it from the help.
        needed: Whether it is required.
    """

    name: str
    takes: str = ""
    means: str = ""
    needed: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.takes}".rstrip()


@dataclass(frozen=True)
class _Command:
    """One of Airbyte's commands.

    Attributes:
        does: Its help text in one line.
        more: Further help.
        flags: Its flags.
        example: An example without the program's name.
        alternatives: Flags of which exactly one is required.
    """

    does: str
    more: str
    flags: tuple[_Flag, ...]
    example: str
    alternatives: tuple[_Flag, ...] = ()


# The project has no address of its own, and Airbyte's page is that of another connector.
_DOCUMENTATION = "Documentation: README.md and docs/integration.md of the source code.\n"
_STREAMS = """\
which streams, by name: export,engage,cohorts. Each is read by increments
where that leaves an exact copy, else in full; export:full_refresh or
engage:incremental say otherwise"""
_CATALOG = """\
which streams, as a configured Airbyte catalog; `discover --configured`
writes one. It may be as short as
{"streams": [{"stream": "export", "sync_mode": "incremental"}]}"""
_STATE = """\
where the last sync ended: what --state-out has kept, a list of STATE
messages, or lines as saved from standard output; left out, all is read"""
_STATE_OUT = """\
keep the last state of each stream in this file, while the sync runs. It may
be that of --state, which need not exist the first time"""
_CONFIG = _Flag("--config", "FILE", "the settings, a JSON object as `spec` describes it", True)
_DEBUG = _Flag("--debug", means="log more")
_BUILDERS = (_Flag("--manifest-path", "FILE"), _Flag("--components-path", "FILE"))
"""Flags that Airbyte's builder passes, and that are ignored."""
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
        (_CONFIG, _DEBUG, *_BUILDERS),
        "check --config config.json",
    ),
    "discover": _Command(
        "print the catalog: every stream with its columns, keys and sync modes",
        "Columns are the project's own properties, so this asks Mixpanel for them.",
        (
            _CONFIG,
            _Flag("--streams", "NAMES", "these streams alone"),
            _Flag("--configured", means="print a catalog for `read --catalog`, and nothing else"),
            _DEBUG,
            *_BUILDERS,
        ),
        "discover --config config.json --configured > catalog.json",
    ),
    "read": _Command(
        "read streams, and print their records",
        "Standard output is Airbyte's protocol, a JSON object a line: RECORD, STATE, LOG, TRACE.\n"
        "At a terminal a progress bar is on standard error (not with TERM=dumb or\n"
        "TTY_INTERACTIVE=0; NO_COLOR takes its colours).",
        (
            _CONFIG,
            _Flag("--state", "FILE", _STATE),
            _Flag("--state-out", "FILE", _STATE_OUT),
            _DEBUG,
            *_BUILDERS,
        ),
        "read --config config.json --streams export,engage \\\n"
        "    --state state.json --state-out state.json >> records.jsonl",
        (_Flag("--streams", "NAMES", _STREAMS), _Flag("--catalog", "FILE", _CATALOG)),
    ),
}

_SETTINGS = """\
The smallest config.json:
  {"credentials": {"username": "...", "secret": "...", "project_id": 1234567}}
with a service account of the project (Mixpanel: Organization Settings > Service Accounts);
add "region": "EU" or "IN" if its data resides there."""


def parsed(args: Sequence[str]) -> argparse.Namespace:
    """The command and its flags; None for flags that were not given.

    Ends the process with a sentence if the arguments are not valid.
    """
    parser = _Parser(prog=_PROGRAM, add_help=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for verb, command in _COMMANDS.items():
        command_parser = commands.add_parser(verb, add_help=False)
        for flag in command.flags:
            _add(command_parser, flag)
        if command.alternatives:
            alternatives_group = command_parser.add_mutually_exclusive_group(required=True)
            for flag in command.alternatives:
                _add(alternatives_group, flag)
    return parser.parse_args(args)


def _add(to: argparse._ActionsContainer, flag: _Flag) -> None:
    if flag.takes:
        to.add_argument(flag.name, required=flag.needed)
    else:
        to.add_argument(flag.name, action="store_true")


class _Parser(argparse.ArgumentParser):
    """Reports errors in one sentence, with where to read more."""

    def error(self, message: str) -> NoReturn:
        """One sentence on standard error, and exit code 2."""
        self.exit(2, f"{self.prog}: {message}. `{self.prog} --help` tells more.\n")


def explanation(args: Sequence[str]) -> tuple[str, int] | None:
    """The text to print for these arguments, and the exit code; None if they are valid."""
    verb = next((arg for arg in args if arg in _COMMANDS), None)
    if "-h" in args or "--help" in args:
        return (_command_help(verb) if verb else _general_help()), 0
    if "--version" in args:
        return f"{_PROGRAM} {version(_PROGRAM)}\n", 0
    if not args:
        return f"Say what to do: {_verbs()}.\n\n{_general_help()}", 2
    if args[0] not in _COMMANDS:
        hint = did_you_mean(args[0], _COMMANDS)
        return (
            f"There is no command {args[0]!r}.{hint} There are: {_verbs()}.\n\n{_general_help()}",
            2,
        )
    unknown = "".join(_unknown_flags(args[0], args[1:]))
    return (f"{unknown}`{_PROGRAM} {args[0]} --help` tells more.\n", 2) if unknown else None


def _unknown_flags(verb: str, args: Sequence[str]) -> Iterator[str]:
    """A sentence for each flag that the command does not have."""
    command = _COMMANDS[verb]
    known = [flag.name for flag in (*command.flags, *command.alternatives)]
    for arg in args:
        flag = arg.partition("=")[0]
        if flag.startswith("--") and not any(name.startswith(flag) for name in known):
            yield f"{verb} has no flag {flag}.{did_you_mean(flag, known)}\n"


def _verbs() -> str:
    return ", ".join(_COMMANDS)


def _general_help() -> str:
    verbs = "\n".join(f"  {verb:<9} {command.does}" for verb, command in _COMMANDS.items())
    calls = "\n".join(f"  {_PROGRAM} {command.example}" for command in _COMMANDS.values())
    return (
        f"usage: {_PROGRAM} {{{','.join(_COMMANDS)}}} [flags]\n\n"
        f"Moves what a Mixpanel project holds into a warehouse, as an Airbyte source.\n\n"
        f"Commands:\n{verbs}\n\nExamples:\n{calls}\n\n{_SETTINGS}\n\n"
        f"`{_PROGRAM} <command> --help` tells more of a command, `{_PROGRAM} --version` its "
        f"version.\n"
        f"{_DOCUMENTATION}"
    )


def _command_help(verb: str) -> str:
    command = _COMMANDS[verb]
    explained = [flag for flag in (*command.alternatives, *command.flags) if flag.means]
    width = max(len(str(flag)) for flag in explained) + 2
    flags = "\n".join(
        f"  {flag!s:<{width}}" + flag.means.replace("\n", "\n" + " " * (width + 2))
        for flag in explained
    )
    needed = [str(flag) for flag in command.flags if flag.needed]
    if command.alternatives:
        needed.append(f"{{{' | '.join(map(str, command.alternatives))}}}")
    return (
        f"usage: {' '.join([_PROGRAM, verb, *needed])} [flags]\n\n"
        f"{verb}: {command.does}.\n\n{command.more}\n\nFlags:\n{flags}\n\n"
        f"Example:\n  {_PROGRAM} {command.example}\n\n"
        + (f"{_SETTINGS}\n\n" if _CONFIG in command.flags else "")
        + _DOCUMENTATION
    )
