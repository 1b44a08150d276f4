"""What `discover` says of streams that have more columns than a table may have."""

from __future__ import annotations

from typing import Any

import pytest

from source_mixpanel.columns.width import advice_on_width
from unit_tests.builders import event
from unit_tests.profiles.test_engage import profile
from unit_tests.project import Project

LIMITS = ("PostgreSQL and Redshift end at 1,600", "SQL Server at 1,024", "MySQL (InnoDB) at 1,017")


@pytest.mark.parametrize(("columns", "told"), [(0, False), (1_000, False), (1_001, True)])
def test_advice_begins_beyond_a_thousand_columns(columns: int, *, told: bool) -> None:
    assert (advice_on_width("export", columns) is not None) == told


def _of_widths(log: str) -> list[str]:
    return [line for line in log.splitlines() if "columns of properties" in line]


def test_one_line_a_stream_says_how_many_which_limits_and_what_to_do(project: Project) -> None:
    wide: dict[str, Any] = {f"property {n}": n for n in range(1_200)}
    project.mixpanel.add_events([event(**wide)])
    project.mixpanel.add_profiles([profile("u-1", **wide)])
    out = project.run("discover")
    assert out.code == 0, out.log
    told = _of_widths(out.log)
    assert [line.split(" has ")[0] for line in told] == [
        "Stream 'export'", "Stream 'engage'", "Stream 'cohort_members'",
    ]  # fmt: skip
    for line in told:
        columns = out.streams()[line.split("'")[1]]["json_schema"]["properties"]
        count = sum("mixpanel_property" in columns[name] for name in columns.keys() - {"last_seen"})
        assert f" has {count:,} columns" in line
        assert all(limit in line for limit in LIMITS)
        assert "property_layout: object" in line
    assert not _of_widths(project.using(property_layout="object").run("discover").log)
