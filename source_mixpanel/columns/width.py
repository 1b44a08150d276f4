"""A warning for streams that have more columns than a table may have. Pure."""

from __future__ import annotations

_WIDE = 1_000
"""Columns of properties from which on to warn; all limits in the text are higher."""


def advice_on_width(stream: str, columns: int) -> str | None:
    """The warning for a stream with so many columns of properties; None for few."""
    if columns <= _WIDE:
        return None
    return (
        f"Stream {stream!r} has {columns:,} columns of properties. Many destinations take no table "
        f"as wide: PostgreSQL and Redshift end at 1,600 columns, SQL Server at 1,024, MySQL "
        f"(InnoDB) at 1,017. Set property_layout: object to get all properties in one column, "
        f"with their own names."
    )
