"""The pooled connections to Mixpanel, and where they may lead."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import requests

_POOL = 16


class MixpanelSession(requests.Session):
    """Follows a redirect only where nothing can leak or change by it.

    The app API redirects paths to the same with a slash. A redirect to another host, port or
    scheme would take the request out of Mixpanel's hands; one of a POST loses its form. Neither
    is followed: the answer then stays what it is, a refusal.
    """

    def __init__(self) -> None:
        super().__init__()
        adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=_POOL)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where to go on, None to stay."""
        target = super().get_redirect_target(resp)
        if target is None or resp.request.method != "GET":
            return None
        there = urljoin(str(resp.url), target)
        return target if _origin(there) == _origin(str(resp.url)) else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
