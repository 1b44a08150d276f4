"""What each kind of report may ask for: Mixpanel's own parameters, as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from source_mixpanel.config.credentials import FrozenModel
from source_mixpanel.config.values import LOWER, EventName, Expression
from source_mixpanel.texts.spelling import did_you_mean

OURS = frozenset({"from_date", "to_date", "project_id", "workspace_id", "format"})
"""Parameters that the connector sets itself."""
_MOST_SEGMENTS = 10_000
_LONGEST = 90
_LENGTHS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}

Unit = Annotated[Literal["day", "week", "month"], LOWER]


def form_field(title: str, description: str, default: Any = None, **more: Any) -> Any:
    """A field of the form; `...` for one that is required."""
    return Field(default, title=title, description=description, **more)


Bucket = Annotated[
    Unit | None, form_field("Unit", "What a row's date stands for. Days when left out.")
]
Interval = Annotated[
    int | None,
    form_field(
        "Interval",
        "A row's date stands for so many days. Instead of a unit.",
        ge=1,
        le=_LONGEST,
    ),
]
BreakDown = Annotated[
    Expression | None,
    form_field(
        "Break Down By",
        "A Mixpanel expression: rows for each of its values. Without it, for all together.",
        examples=['properties["$city"]'],
    ),
]
Limit = Annotated[
    int | None,
    form_field(
        "Limit",
        "The most values of the expression to break down by, those that occur most.",
        ge=1,
        le=_MOST_SEGMENTS,
    ),
]


def _event(description: str, default: Any = None, title: str = "Event") -> Any:
    return form_field(title, description, default, min_length=1, examples=["Sign Up"])


def _where(of: str = "events", title: str = "Filter") -> Any:
    description = f"Count only {of} that match this Mixpanel expression."
    return form_field(title, description, examples=['properties["plan"] == "pro"'])


class Parameters(FrozenModel):
    """What a report asks for; Mixpanel's own parameters of that name (Query API)."""

    kind: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _known(cls, raw: Any) -> Any:
        """Fields that were left empty mean nothing; what is not known is no typing mistake."""
        if not isinstance(raw, Mapping):
            return raw
        given = {key: value for key, value in raw.items() if value not in (None, "")}
        ours = ", ".join(sorted(given.keys() & OURS))
        if ours:
            raise ValueError(f"the connector sets {ours} itself: leave it out")
        unknown = sorted(map(str, given.keys() - cls.model_fields.keys()))
        if unknown:
            known = ", ".join(cls.model_fields)
            hint = did_you_mean(unknown[0], cls.model_fields)
            told = f"a {cls.kind} report has no parameter {', '.join(unknown)}, it has {known}"
            raise ValueError(f"{told}.{hint}")
        return given

    @model_validator(mode="after")
    def _agreeing(self) -> Parameters:
        given = self.model_fields_set
        if "limit" in given and "on" not in given:
            raise ValueError("limit bounds what on breaks down: set both, or neither")
        if {"interval", "unit"} <= given:
            raise ValueError("interval and unit both say what a date stands for: set one of them")
        return self

    def asked(self) -> dict[str, str]:
        """The parameters as they are sent."""
        told = self.model_dump(exclude_none=True)
        return {
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in told.items()
        }


class SegmentationParameters(Parameters):
    """Of `segmentation`."""

    kind = "segmentation"

    event: EventName = _event("The event to count.", ...)
    type: Annotated[Literal["general", "unique", "average"], LOWER] | None = form_field(
        "Type",
        "general: how often it happened (when left out). unique: how many people did it. "
        "average: how often each of them did.",
    )
    unit: Bucket = None
    on: BreakDown = None
    where: Expression | None = _where()
    limit: Limit = None


class RetentionParameters(Parameters):
    """Of `retention`."""

    kind = "retention"

    retention_type: Annotated[Literal["birth", "compounded"], LOWER] | None = form_field(
        "Retention Type",
        "birth: people enter with their first born event (when left out). compounded: with every "
        "event.",
    )
    born_event: EventName | None = _event(
        "The event that people enter with; for birth.", title="Born Event"
    )
    event: EventName | None = _event("The event that people come back with. Any when left out.")
    born_where: Expression | None = _where("born events", "Born Filter")
    where: Expression | None = _where("events that people come back with")
    unit: Bucket = None
    interval: Interval = None
    interval_count: int | None = form_field(
        "Interval Count",
        "How many intervals to follow people for, besides the one they enter in. 1 when left out.",
        ge=1,
    )
    unbounded_retention: bool | None = form_field(
        "Unbounded Retention",
        "Whether who comes back in an interval counts for all intervals before it too.",
    )
    on: BreakDown = None
    limit: Limit = None

    @model_validator(mode="after")
    def _born(self) -> RetentionParameters:
        if self.retention_type != "compounded":
            if self.born_event is None:
                raise ValueError("born_event is missing: the event that people enter with")
        elif self.born_event is not None or self.born_where is not None:
            raise ValueError("born_event and born_where are for retention_type birth: leave both")
        return self


class FunnelParameters(Parameters):
    """Of `funnels`."""

    kind = "funnel"

    funnel_id: int = form_field(
        "Funnel ID", "The number of a saved funnel.", ..., ge=1, examples=[4411]
    )
    length: int | None = form_field(
        "Length",
        "How long people have to finish, in length units, 90 days at most. As saved when left out.",
        ge=1,
    )
    length_unit: Annotated[Literal["day", "hour", "minute", "second"], LOWER] | None = form_field(
        "Length Unit", "The unit of the length."
    )
    unit: Bucket = None
    interval: Interval = None
    on: BreakDown = None
    where: Expression | None = _where()
    limit: Limit = None

    @model_validator(mode="after")
    def _short(self) -> FunnelParameters:
        if (self.length is None) != (self.length_unit is None):
            raise ValueError("length and length_unit belong together: set both, or neither")
        unit = _LENGTHS[self.length_unit or "second"]
        if self.length is not None and self.length * unit > _LONGEST * _LENGTHS["day"]:
            raise ValueError(f"length is longer than {_LONGEST} days, the most that Mixpanel takes")
        return self


class FrequencyParameters(Parameters):
    """Of `retention/addiction`."""

    kind = "frequency"

    unit: Unit = form_field("Unit", "What a row's date stands for.", ...)
    addiction_unit: Annotated[Literal["hour", "day"], LOWER] = form_field(
        "Addiction Unit", "What is counted in it: hours or days with an event.", ...
    )
    event: EventName | None = _event("The event to count. Any when left out.")
    where: Expression | None = _where()
    on: BreakDown = None
    limit: Limit = None
