"""Errors for missing resources of the host: disk space, a temporary directory, open files."""

from __future__ import annotations

import errno
import os

from source_mixpanel.errors import SourceError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)


def is_out_of_files(error: object) -> bool:
    """Whether an error says that no further file or connection can be opened."""
    return isinstance(error, OSError) and error.errno in _OUT_OF_FILES


def out_of_files(detail: str) -> SourceError:
    """The error for a reached limit of open files."""
    return SourceError(
        "The connector may not open as many files and connections as it needs: the limit of open "
        "files is reached. Raise it (ulimit -n) to 256 or more.",
        detail,
    )


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk is full."""
    return error.errno in _FULL


def disk_is_full(error: OSError) -> SourceError:
    """The error for a full disk."""
    return SourceError(
        "The disk for temporary files is full, so a response could not be kept. Give the "
        "connector more room, or set TMPDIR to a larger disk.",
        detail=str(error),
    )


def no_directory(error: OSError) -> SourceError:
    """The error for a temporary file that cannot be created."""
    if is_out_of_files(error) or is_out_of_files(_error_of_opening()):
        return out_of_files(str(error))
    return SourceError(
        "The connector needs a directory for temporary files and found none it can write to: "
        f"{error.strerror}. Set TMPDIR to one.",
        detail=str(error),
    )


def _error_of_opening() -> OSError | None:
    """The error of opening any file, None if files open: the search for a directory hides it."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error
    return None
