"""A response body that is one long JSON value, on disk, to be parsed in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from source_mixpanel.api.bodies import raise_for_error
from source_mixpanel.api.disk import Share
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.api.spool import Body, inflate, new_file, written
from source_mixpanel.errors import CutError
from source_mixpanel.texts import json_text
from source_mixpanel.texts.masking import excerpt

_SMALL = 1 << 16
"""Bytes up to which a body is parsed as a whole; errors and empty pages are shorter."""

_TAIL = 64
_KINDS = (("object", b"{", b"}"), ("list", b"[", b"]"))


class Document(Body):
    """One JSON object or list; complete by its transport and by its first and last characters."""


def document_body(
    chunks: Iterable[bytes],
    *,
    gzipped: bool,
    request: ApiRequest,
    share: Share,
    listed: bool = False,
) -> Document:
    """Write a body to disk, and check that it is complete.

    Its chunks raise if the connection was cut. It has to be an object; if `listed`, it may be a
    list as well.

    Raises:
        CutError: It is not complete, or another JSON value.
        TransientError: It reports an error.
        SourceError: The disk is full.
    """
    head, tail, size = b"", b"", 0
    what = f"The {request.answer}"
    with new_file(share) as file:
        for text in inflate(written(chunks, file, share, what), gzipped=gzipped, what=what):
            size += len(text)
            if len(head) < _SMALL:
                head += text[:_SMALL]
            tail = (tail + text[-_TAIL:])[-_TAIL:]
        allowed = _KINDS if listed else _KINDS[:1]
        _check_ends(request, head if size < _SMALL else None, head, tail, allowed)
    return Document(file, gzipped=gzipped, size=size, share=share)


def _check_ends(
    request: ApiRequest,
    complete: bytes | None,
    head: bytes,
    tail: bytes,
    allowed: Sequence[tuple[str, bytes, bytes]],
) -> None:
    """Raise unless a body is complete and reports no error, judged by all of it or its two ends.

    Raises:
        CutError: It is not complete, or another JSON value.
        TransientError: It reports an error.
    """
    ends = (head.lstrip()[:1], tail.rstrip()[-1:])
    is_complete = any(ends == (first, last) for _, first, last in allowed)
    if complete is not None and is_complete:
        try:
            body = json_text.loads(complete)
        except json_text.TooDeepError:
            # Whoever parses it in chunks reports that.
            return
        except ValueError:
            is_complete = False
        else:
            raise_for_error(request, body)
    if not is_complete:
        raise CutError(
            f"Mixpanel's {request.answer} is not whole: it is no JSON "
            f"{' or '.join(kind for kind, _, _ in allowed)}.",
            detail=excerpt(head),
        )
