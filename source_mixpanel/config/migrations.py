"""Settings as earlier connectors wrote them: Airbyte's 0.x to 4.x, tap-mixpanel, Qlik."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from source_mixpanel.config.credentials import KINDS
from source_mixpanel.config.model import bounds

_MOST_DIGITS = 18
_TRUE = frozenset({"true", "1", "yes"})
_UNBOUNDED = (
    "attribution_window",
    "export_lookback_window",
    "date_window_size",
    "page_size",
    "num_workers",
)
"""Numbers for which Airbyte's 4.0.2 took more, by its form or around it, than there is use for."""
_NUMBERS = (*_UNBOUNDED, "workspace_id")
_NAMES = ("export_events", "exclude_properties", "hash_properties")
_ALSO_BELOW = frozenset({"attribution_window"})
"""Those for which it took less as well."""


def migrate(raw: dict[str, Any]) -> dict[str, Any]:
    """The same settings in today's shape; what is already in it comes back equal.

    Never raises: what makes no sense is left for the model to name.
    """
    config = dict(raw)
    _gather_credentials(config)
    _name_credentials(config)
    _read_residency(config)
    _list_names(config)
    for key in _NUMBERS:
        if key in config:
            config[key] = _number(config[key])
    config.update({key: bound for key, _, bound in _out_of_bounds(config)})
    _drop_blanks(config)
    return config


def corrections(raw: dict[str, Any]) -> list[str]:
    """A sentence for each number that `migrate` brings within its bounds."""
    numbers = {key: _number(value) for key, value in raw.items()}
    return [
        f"The setting {key} is {given}; the connector goes by {bound}, the "
        f"{'most' if given > bound else 'least'} that it takes."
        for key, given, bound in _out_of_bounds(numbers)
    ]


def _out_of_bounds(config: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """The key, the number and the bound to use, where 4.0.2 set none."""
    for key in _UNBOUNDED:
        given = config.get(key)
        if isinstance(given, bool) or not isinstance(given, int):
            continue
        least, most = bounds(key)
        if given > most:
            yield key, given, most
        elif given < least and key in _ALSO_BELOW:
            yield key, given, least


def _gather_credentials(config: dict[str, Any]) -> None:
    """Top-level `api_secret` or `username`/`secret` (Airbyte before 0.1.41, Singer)."""
    if config.get("credentials"):
        return
    loose: dict[str, Any] = {
        k: config[k] for k in ("username", "secret", "access_token", "api_secret") if k in config
    }
    if not loose:
        return
    for key in loose:
        del config[key]
    if "project_id" in config and "api_secret" not in loose:
        loose["project_id"] = config["project_id"]
    config.pop("project_id", None)
    config["credentials"] = loose


def _name_credentials(config: dict[str, Any]) -> None:
    """Infer a missing `option_title`, and read a project id written as text."""
    credentials = config.get("credentials")
    if not isinstance(credentials, dict):
        return
    credentials = dict(credentials)
    if "project_id" in config and "username" in credentials:
        credentials.setdefault("project_id", config.pop("project_id"))
    title = str(credentials.get("option_title") or _kind(credentials))
    spelled = {kind.casefold(): kind for kind in KINDS}
    credentials["option_title"] = spelled.get(title.strip().casefold(), title)
    if "project_id" in credentials:
        credentials["project_id"] = _number(credentials["project_id"])
    config["credentials"] = credentials


def _kind(credentials: dict[str, Any]) -> str:
    if "access_token" in credentials:
        return "OAuth Token"
    if "api_secret" in credentials and "username" not in credentials:
        return "Project Secret"
    return "Service Account"


def _read_residency(config: dict[str, Any]) -> None:
    """Singer and Qlik: `eu_residency` (its README says `eu_residency_server`)."""
    flags = [config.pop(key) for key in ("eu_residency", "eu_residency_server") if key in config]
    residing = any(flag is True or str(flag).strip().lower() in _TRUE for flag in flags)
    if residing and not config.get("region"):
        config["region"] = "EU"


def _list_names(config: dict[str, Any]) -> None:
    """Comma strings as lists, and columns by property as the list that the form shows."""
    for key in _NAMES:
        names = config.get(key)
        if isinstance(names, str):
            config[key] = [name.strip() for name in names.split(",") if name.strip()]
    pins = config.get("column_names")
    if isinstance(pins, dict):
        config["column_names"] = [{"property": name, "column": pins[name]} for name in pins]


def _number(value: Any) -> Any:
    """Singer configs hold numbers as text."""
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.strip().isdecimal():
        return int(value)
    return value


def _drop_blanks(config: dict[str, Any]) -> None:
    """A form that was left empty: no value is meant."""
    limits = config.get("rate_limits")
    if isinstance(limits, dict):
        config["rate_limits"] = {k: v for k, v in limits.items() if not _is_blank(v)}
    for key in [key for key, value in config.items() if _is_blank(value)]:
        del config[key]


def _is_blank(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())
