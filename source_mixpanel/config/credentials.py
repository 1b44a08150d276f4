"""The three ways to sign in to Mixpanel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class FrozenModel(BaseModel):
    """Settings do not change; what is wrong in them is never repeated."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def _token(value: Any) -> Any:
    """A token stands in a header as it is."""
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        raise ValueError("it holds characters that no token has, such as a line break")
    return value


ProjectId = Annotated[
    int,
    Field(
        title="Project ID",
        ge=1,
        description="The number of the project, from Project Settings > Overview.",
        examples=[1234567],
    ),
]


class ServiceAccount(FrozenModel):
    """A Mixpanel service account (API docs: Service Accounts)."""

    model_config = ConfigDict(title="Service Account")

    option_title: Literal["Service Account"] = "Service Account"
    username: str = Field(
        min_length=1,
        description="The service account's username, from Organization Settings > Service "
        "Accounts. Choose an account that does not expire.",
        examples=["my-sync.1a2b3c.mp-service-account"],
    )
    secret: SecretStr = Field(
        min_length=1,
        description="The service account's secret. Mixpanel shows it once, when the account is "
        "made.",
        json_schema_extra={"airbyte_secret": True},
    )
    project_id: ProjectId


class ProjectSecret(FrozenModel):
    """A project's API secret, which Mixpanel retires on 3 March 2027."""

    model_config = ConfigDict(title="Project Secret")

    option_title: Literal["Project Secret"] = "Project Secret"
    api_secret: SecretStr = Field(
        title="Project Secret",
        min_length=1,
        description="The project's API secret, from Project Settings > Overview. Mixpanel "
        "retires project secrets on 3 March 2027: prefer a service account.",
        json_schema_extra={"airbyte_secret": True},
    )


class OAuthToken(FrozenModel):
    """A static OAuth bearer token."""

    model_config = ConfigDict(title="OAuth Token")

    option_title: Literal["OAuth Token"] = "OAuth Token"
    access_token: Annotated[SecretStr, BeforeValidator(_token)] = Field(
        min_length=1,
        description="An OAuth token that may read the project.",
        json_schema_extra={"airbyte_secret": True},
    )
    project_id: ProjectId


KINDS: Mapping[str, type[FrozenModel]] = {
    "Service Account": ServiceAccount,
    "Project Secret": ProjectSecret,
    "OAuth Token": OAuthToken,
}
"""By `option_title`."""

Credentials = Annotated[
    ServiceAccount | ProjectSecret | OAuthToken, Field(discriminator="option_title")
]
