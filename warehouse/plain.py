"""Prints the models as plain SQL for DuckDB and PostgreSQL, in the schema `analytics`.

    python warehouse/plain.py [NAME=VALUE ...] > models.sql

NAMEs are the vars of dbt_project.yml beside it, such as `time_zone=Europe/Paris`; values are YAML.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

HERE = Path(__file__).parent
SCHEMA = "analytics"


def statements(given: Mapping[str, Any]) -> list[str]:
    """The SQL statements that make the models, in an order in which they work.

    Args:
        given: Vars that differ from those of dbt_project.yml.

    Raises:
        ValueError: There is no such var.
    """
    project = yaml.safe_load((HERE / "dbt_project.yml").read_text("utf-8"))
    known, kinds = project["vars"], project["models"]["mixpanel"]
    if given.keys() - known.keys():
        raise ValueError(f"There is no var {min(given.keys() - known.keys())}, only {[*known]}.")
    told = {**known, **given}
    needs: dict[str, set[str]] = {}
    queries: dict[str, str] = {}
    for path in (HERE / "models").glob("*.sql"):
        needed = needs.setdefault(path.stem, set())

        def ref(model: str, needed: set[str] = needed) -> str:
            needed.add(model)
            return f"{SCHEMA}.{model}"

        template = Environment(undefined=StrictUndefined).from_string(path.read_text("utf-8"))  # noqa: S701 - SQL
        queries[path.stem] = template.render(
            ref=ref, source=lambda _, table: f"{told['mixpanel_schema']}.{table}", var=told.get
        )
    made = [f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"]
    for model in TopologicalSorter(needs).static_order():
        thing = f"{kinds.get(model, kinds)['+materialized']} {SCHEMA}.{model}"
        made += [
            f"DROP {thing.replace(' ', ' IF EXISTS ', 1)} CASCADE",
            f"CREATE {thing} AS\n{queries[model].strip()}",
        ]
    return made


if __name__ == "__main__":
    chosen = dict(argument.split("=", 1) for argument in sys.argv[1:])
    parsed = {name: yaml.safe_load(value) for name, value in chosen.items()}
    print(";\n\n".join(statements(parsed)), end=";\n")
