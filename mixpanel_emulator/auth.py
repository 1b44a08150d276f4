"""Authentication and access to endpoints (Mixpanel docs: authentication)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from mixpanel_emulator.http import ApiError, Call, Family
from mixpanel_emulator.options import CREDENTIALS

if TYPE_CHECKING:
    from mixpanel_emulator.settings import Settings


class Scheme(Enum):
    """The kind of credentials of a request."""

    SERVICE_ACCOUNT = "service account"
    PROJECT_SECRET = "project secret"  # noqa: S105 - the scheme's name
    BEARER = "bearer"
    NONE = "none"


_ACCEPTED = {
    Family.EXPORT: {Scheme.SERVICE_ACCOUNT, Scheme.PROJECT_SECRET, Scheme.BEARER},
    Family.QUERY: {Scheme.SERVICE_ACCOUNT, Scheme.PROJECT_SECRET, Scheme.BEARER},
    Family.APP: {Scheme.SERVICE_ACCOUNT, Scheme.BEARER},
    Family.LOOKUP: {Scheme.SERVICE_ACCOUNT},
}


# What a caller may see without being in any project.
_ANYBODYS = ("/api/app/me", "/api/app/me/", "/api/app/projects/metadata/index")


@dataclass(frozen=True)
class Presented:
    """The content of an Authorization header, not checked yet."""

    kind: str = ""
    user: str = ""
    password: str = ""


def read_header(header: str | None) -> Presented:
    """Split an Authorization header; an unreadable one is the same as none.

    `Basic user:secret` without base64 is accepted too (Mixpanel docs: service accounts).
    """
    kind, _, rest = (header or "").partition(" ")
    rest = rest.strip()
    if kind.lower() == "bearer":
        return Presented("bearer", rest)
    if kind.lower() != "basic":
        return Presented()
    try:
        text = rest if ":" in rest else base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return Presented()
    user, _, password = text.partition(":")
    return Presented("basic", user, password)


def identify(presented: Presented) -> Scheme:
    """The kind of credentials, if they are those of the project; else `NONE`."""
    pair = (presented.user, presented.password)
    if presented.kind == "bearer" and presented.user == CREDENTIALS.access_token:
        return Scheme.BEARER
    if presented.kind == "basic" and pair == (CREDENTIALS.username, CREDENTIALS.secret):
        return Scheme.SERVICE_ACCOUNT
    if presented.kind == "basic" and pair == (CREDENTIALS.api_secret, ""):
        return Scheme.PROJECT_SECRET
    return Scheme.NONE


def _refused(family: Family, settings: Settings) -> ApiError:
    if family is Family.EXPORT and settings.export_auth_error == "400":
        return ApiError(400, "Unable to authenticate request")
    if family is Family.LOOKUP:
        return ApiError(401, "Invalid credentials")
    return ApiError(401, "Unable to authenticate request")


def authenticate(family: Family, call: Call, settings: Settings) -> Scheme:
    """Check a call's credentials and its project_id.

    Raises:
        ApiError: 401 (400 on export when so set) for credentials the API does not take; 400 for
            a project_id that is missing or ill-typed; 401 for a project the caller is not in.
    """
    scheme = identify(read_header(call.headers.get("authorization")))
    expired = scheme is Scheme.SERVICE_ACCOUNT and settings.service_account_expired
    closed = scheme is Scheme.BEARER and family is Family.EXPORT and not settings.export_bearer
    if scheme not in _ACCEPTED[family] or expired or closed:
        raise _refused(family, settings)
    if family is not Family.APP:
        _check_project(family, call, scheme, settings)
    outside = scheme is Scheme.SERVICE_ACCOUNT and not settings.service_account_in_project
    if outside and family is Family.APP and call.path not in _ANYBODYS:
        raise ApiError(403, "You do not have access to this project")
    if outside and family is not Family.APP:
        raise _refused(family, settings)
    return scheme


def _check_project(family: Family, call: Call, scheme: Scheme, settings: Settings) -> None:
    project = call.text("project_id")
    if scheme is Scheme.PROJECT_SECRET:
        if (
            project is not None
            and family is Family.EXPORT
            and settings.secret_with_project_id_error
        ):
            raise ApiError(400, "project_id must not be sent with a project secret")
        return
    if not project:
        raise ApiError(400, "Missing required parameter: project_id")
    if not project.isdigit():
        raise ApiError(400, "Invalid parameter: project_id must be an integer")
    if int(project) != CREDENTIALS.project_id:
        raise _refused(family, settings)
