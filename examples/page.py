"""Makes the models in a DuckDB file that PyAirbyte has filled, and a page that shows them.

    python examples/page.py warehouse.duckdb report.html [TIME_ZONE]

The page is one file that needs no network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from warehouse.plain import statements

_MOST_DIFFERING = 40
_COLOURS = ("#615eff", "#1a194d", "#00b3a4")
_LAYOUT = {
    "template": "plotly_white",
    "height": 340,
    "margin": {"l": 50, "r": 20, "t": 20, "b": 40},
    "colorway": _COLOURS,
    "legend": {"orientation": "h", "y": 1.1},
    "yaxis": {"automargin": True},
}

QUERIES = (
    "SELECT starts_on, users FROM analytics.active_users WHERE period = 'week' ORDER BY 1",
    "SELECT city, count(*) AS events FROM analytics.events GROUP BY city ORDER BY 2 DESC LIMIT 5",
    "SELECT verdict, reason, count(*) AS days FROM analytics.reconciliation GROUP BY ALL",
)
"""What can be asked of the file besides."""


class Chart(NamedTuple):
    """A figure of the page.

    Attributes:
        title: Its heading.
        told: What it shows, in a sentence.
        figure: How it is drawn.
    """

    title: str
    told: str
    figure: go.Figure


Rows = list[tuple[Any, ...]]


class Analytics:
    """The models in a DuckDB file, which are made anew.

    Args:
        database: The file.
        zone: The project's time zone.
    """

    def __init__(self, database: Path, zone: str) -> None:
        self._connection = duckdb.connect(str(database))
        for statement in statements({"time_zone": zone}):
            self._connection.execute(statement)

    def close(self) -> None:
        """Leave the file to others."""
        self._connection.close()

    def rows(self, query: str) -> Rows:
        """The rows that a query gives."""
        return self._connection.execute(query).fetchall()

    def columns(self, query: str) -> list[list[Any]]:
        """The same, turned; empty columns where there are no rows."""
        cursor = self._connection.execute(query)
        rows = cursor.fetchall()
        return [[row[n] for row in rows] for n in range(len(cursor.description or ()))]


def charts(held: Analytics) -> Iterator[Chart]:
    """The page's figures."""
    days, mixpanel, warehouse = held.columns(
        "SELECT day, sum(in_mixpanel)::BIGINT, sum(in_warehouse)::BIGINT"
        " FROM analytics.reconciliation GROUP BY day ORDER BY day"
    )
    bars = [
        go.Bar(x=days, y=numbers, name=name)
        for name, numbers in (("Mixpanel", mixpanel), ("warehouse", warehouse))
    ]
    yield Chart("Events a day", "As Mixpanel counts them, and as they landed.", go.Figure(bars))
    lines = []
    for period in ("month", "week", "day"):
        starts, users = held.columns(
            f"SELECT starts_on, users FROM analytics.active_users WHERE period = '{period}'"  # noqa: S608 - one of three
            " ORDER BY starts_on"
        )
        lines.append(go.Scatter(x=starts, y=users, name=period, mode="lines+markers"))
    yield Chart("Active users", "People who did anything, whatever ids they had.", go.Figure(lines))
    steps, users = held.columns("SELECT event, users FROM analytics.funnel ORDER BY step_index")
    funnel = go.Funnel(y=steps, x=users, textinfo="value+percent initial")
    yield Chart("Funnel", "People who did one after the other within a week.", go.Figure(funnel))
    yield Chart(
        "Retention",
        "Of those first seen in a week, how many came back in the weeks after.",
        _grid(held.rows("SELECT entered_on, week_index, users FROM analytics.retention")),
    )


def _grid(rows: Rows) -> go.Figure:
    """People by the week they came in and weeks since."""
    users = {(str(entered), week): count for entered, week, count in rows}
    entered = sorted({week for week, _ in users}, reverse=True)
    weeks = list(range(max((week for _, week in users), default=0) + 1))
    counts = [[users.get((first, week)) for week in weeks] for first in entered]
    shares = [[count / row[0] if count and row[0] else None for count in row] for row in counts]
    grid = go.Heatmap(
        x=[f"week {week}" for week in weeks], y=[f"from {first}" for first in entered], z=shares,
        text=[["" if count is None else f"{count:,}" for count in row] for row in counts],
        texttemplate="%{text}", colorscale="Purples", showscale=False,
    )  # fmt: skip
    return go.Figure(grid)


def write_page(
    database: Path, page: Path, zone: str, title: str = "From Mixpanel to DuckDB"
) -> None:
    """Make the models and the page.

    Args:
        database: A DuckDB file with the connector's `export` and `event_counts`, which nobody else
            has open.
        page: Where the page goes.
        zone: The project's time zone.
        title: Its heading.
    """
    held = Analytics(database, zone)
    try:
        page.write_text(_rendered(held, zone, title), "utf-8")
    finally:
        held.close()


def _rendered(held: Analytics, zone: str, title: str) -> str:
    [(events, people, rows)] = held.rows(
        "SELECT count(*), count(DISTINCT resolved_distinct_id),"
        " (SELECT count(*) FROM mixpanel.export) FROM analytics.resolved_events"
    )
    [(counted, differ)] = held.rows(
        "SELECT coalesce(sum(in_mixpanel), 0)::BIGINT, count(*) FILTER (verdict <> 'equal')"
        " FROM analytics.reconciliation"
    )
    [(sessions,)] = held.rows("SELECT count(*) FROM analytics.sessions")
    drawn = []
    for number, chart in enumerate(charts(held)):
        chart.figure.update_layout(_LAYOUT)
        html = chart.figure.to_html(
            full_html=False, include_plotlyjs=number == 0, config={"displayModeBar": False}
        )
        drawn.append(chart._asdict() | {"html": Markup(html)})  # noqa: S704 - our own figure
    folder = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return folder.get_template("page.html.j2").render(
        title=title,
        zone=zone,
        numbers={
            "events in Mixpanel, by its own count": counted,
            "events in the warehouse, each once": events,
            "rows that landed": rows,
            "people": people,
            "sessions": sessions,
        },
        charts=drawn,
        verdicts=held.rows(
            "SELECT verdict, count(*), sum(in_mixpanel)::BIGINT, sum(in_warehouse)::BIGINT, reason"
            " FROM analytics.reconciliation GROUP BY verdict, reason ORDER BY 2 DESC, 1"
        ),
        differ=differ,
        differing=held.rows(
            "SELECT day, event, in_mixpanel, in_warehouse, verdict FROM analytics.reconciliation"
            " WHERE verdict <> 'equal' ORDER BY day DESC, event"
        )[:_MOST_DIFFERING],
    )


if __name__ == "__main__":
    write_page(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if sys.argv[3:] else "UTC")
