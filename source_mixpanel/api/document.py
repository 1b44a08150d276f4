"""A response body that is one long JSON value, on disk, to be parsed piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from source_mixpanel.api.bodies import refuse_error
from source_mixpanel.api.disk import Share
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.api.spool import Body, inflate, new_file, written
from source_mixpanel.errors import CutError
from source_mixpanel.texts import json_text
from source_mixpanel.texts.masking import excerpt

_SMALL = 1 << 16
"""Bytes up to which a body is parsed at once; errors and empty pages are no longer."""

_TAIL = 64
_KINDS = (("object", b"{", b"}"), ("list", b"[", b"]"))


class Document(Body):
    """One JSON object or list, whole as far as its transport and its two ends tell."""


def document_body(
    chunks: Iterable[bytes],
    *,
    gzipped: bool,
    request: ApiRequest,
    share: Share,
    listed: bool = False,
) -> Document:
    """Write a body to disk and look at its ends on the way.

    Its chunks come off the wire, and raise if the transport was cut. It has to be an object, or,
    if `listed`, may be a list as well.

    Raises:
        CutError: It is not whole, or another value.
        TransientError: It says that there was an error.
        SourceError: There is no room on disk.
    """
    head, tail, size = b"", b"", 0
    what = f"The {request.answer}"
    with new_file(share) as file:
        for text in inflate(written(chunks, file, share, what), gzipped=gzipped, what=what):
            size += len(text)
            if len(head) < _SMALL:
                head += text[:_SMALL]
            tail = (tail + text[-_TAIL:])[-_TAIL:]
        kinds = _KINDS if listed else _KINDS[:1]
        _look_at(request, head if size < _SMALL else None, head, tail, kinds)
    return Document(file, gzipped=gzipped, size=size, share=share)


def _look_at(
    request: ApiRequest,
    whole: bytes | None,
    head: bytes,
    tail: bytes,
    kinds: Sequence[tuple[str, bytes, bytes]],
) -> None:
    """Raise what is wrong with a body, judged by all of it or by its ends."""
    ends = (head.lstrip()[:1], tail.rstrip()[-1:])
    fits = any(ends == (first, last) for _, first, last in kinds)
    if whole is not None and fits:
        try:
            body = json_text.loads(whole)
        except json_text.TooDeepError:
            # Whoever reads it piece by piece will say so.
            return
        except ValueError:
            fits = False
        else:
            refuse_error(request, body)
    if not fits:
        raise CutError(
            f"Mixpanel's {request.answer} is not whole: it is no JSON "
            f"{' or '.join(kind for kind, _, _ in kinds)}.",
            detail=excerpt(head),
        )
