"""Credentials of requests (API docs: Authentication)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from requests import PreparedRequest
from requests.auth import AuthBase


@dataclass(frozen=True, repr=False, eq=False)
class MixpanelAuth(AuthBase):
    """Sets one fixed Authorization header, which its `repr` does not show."""

    header: str
    kind: str
    where_to_renew: str

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = self.header
        return request

    def __repr__(self) -> str:
        return f"MixpanelAuth(kind={self.kind!r})"


def service_account(username: str, secret: str) -> MixpanelAuth:
    """Basic authentication: the username and the secret."""
    return MixpanelAuth(
        header=_basic(f"{username}:{secret}"),
        kind="service account",
        where_to_renew="Organization Settings > Service Accounts",
    )


def project_secret(api_secret: str) -> MixpanelAuth:
    """Basic authentication: the secret as user name, and an empty password."""
    return MixpanelAuth(
        header=_basic(f"{api_secret}:"),
        kind="project secret",
        where_to_renew="Project Settings > Overview",
    )


def oauth_token(access_token: str) -> MixpanelAuth:
    """Bearer authentication."""
    return MixpanelAuth(
        header=f"Bearer {access_token}",
        kind="OAuth token",
        where_to_renew="your personal settings",
    )


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
