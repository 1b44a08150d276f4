"""Reports that the user describes: one model for each kind, in Mixpanel's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator

from source_mixpanel.config.credentials import FrozenModel
from source_mixpanel.config.report_parameters import (
    FrequencyParameters,
    FunnelParameters,
    RetentionParameters,
    SegmentationParameters,
    form_field,
)

KINDS = ("segmentation", "retention", "funnel", "frequency")
_NAME = r"^[A-Za-z0-9_]{1,50}$"


class _Report(FrozenModel):
    model_config = ConfigDict(extra="forbid")
    kind: str
    name: str = form_field(
        "Name",
        "The stream is called report_ and this: letters, digits and underscores, 50 at most.",
        ...,
        pattern=_NAME,
        examples=["sign_ups_by_city"],
    )

    @field_validator("name", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(_NAME, value):
            raise ValueError("it has to consist of letters, digits and underscores, 50 at most")
        return value


class SegmentationReport(_Report):
    """How often an event happened."""

    model_config = ConfigDict(title="Segmentation")
    kind: Literal["segmentation"]
    parameters: SegmentationParameters = form_field(
        "Parameters", "Which event to count, and how to break it down.", ...
    )


class RetentionReport(_Report):
    """How many people come back."""

    model_config = ConfigDict(title="Retention")
    kind: Literal["retention"]
    parameters: RetentionParameters = form_field(
        "Parameters", "With which event people enter, and with which they come back.", ...
    )


class FunnelReport(_Report):
    """A saved funnel, with other choices than the saved ones."""

    model_config = ConfigDict(title="Funnel")
    kind: Literal["funnel"]
    parameters: FunnelParameters = form_field(
        "Parameters", "Which saved funnel, and how long people have to finish it.", ...
    )


class FrequencyReport(_Report):
    """In how many hours or days people are active."""

    model_config = ConfigDict(title="Frequency")
    kind: Literal["frequency"]
    parameters: FrequencyParameters = form_field(
        "Parameters", "In how many hours or days of what people were active.", ...
    )


def _of_a_kind(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("it has to be an object with kind, name and parameters")  # noqa: TRY004 - pydantic's kind
    kind = str(value.get("kind")).strip().casefold()
    if kind not in KINDS:
        raise ValueError(f"kind has to be one of {', '.join(KINDS)}")
    return {**value, "kind": kind}


Report = Annotated[
    SegmentationReport | RetentionReport | FunnelReport | FrequencyReport,
    Field(discriminator="kind"),
    BeforeValidator(_of_a_kind),
]


def _named_once(reports: tuple[Any, ...]) -> tuple[Any, ...]:
    """Destinations fold case, so names have to differ in more."""
    seen: set[str] = set()
    for report in reports:
        if report.name.casefold() in seen:
            raise ValueError(f"two reports are named {report.name}: give each a name of its own")
        seen.add(report.name.casefold())
    return reports


Reports = Annotated[tuple[Report, ...], AfterValidator(_named_once)]
