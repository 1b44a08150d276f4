"""Pieces of data in errors, and what stands there where data is kept back."""

from __future__ import annotations

import pytest
from urllib3.exceptions import ProtocolError

from source_mixpanel.api.integrity import find_damage
from source_mixpanel.api.network_errors import error_of
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.texts import masking
from source_mixpanel.texts.masking import NOT_SHOWN, excerpt, is_data_shown, keep_data_back, quoted
from source_mixpanel.texts.oddities import Oddities

REQUEST = ApiRequest(Api.EXPORT, "/api/2.0/export", "export")


@pytest.fixture
def _data_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the test alone: in a process it is for good."""
    monkeypatch.setattr(masking, "_data_hidden", [])
    keep_data_back()


def test_pieces_of_data_are_shown_in_quotation_marks() -> None:
    assert is_data_shown()
    assert quoted("it's") == '"it\'s"'
    assert excerpt(b"\xffabc", 3) == repr("\\xffab")
    odd = Oddities()
    odd.add({"a": 1})
    assert odd.shown() == "{'a': 1}"


@pytest.mark.usefixtures("_data_hidden")
def test_where_data_is_data_hidden_a_remark_stands_for_it() -> None:
    assert quoted("abc") == excerpt(b"abc") == NOT_SHOWN
    odd = Oddities()
    for value in range(5):
        odd.add(value)
    assert (odd.count, odd.shown()) == (5, NOT_SHOWN)


def _damage(line: bytes) -> str:
    found = find_damage([line])
    assert found is not None
    return found.reason


@pytest.mark.usefixtures("_data_hidden")
def test_an_error_line_is_told_and_what_else_is_on_it_is_not() -> None:
    assert "'too much'" in _damage(b'{"error": "too much", "data": {"a": "secret"}}\n')
    for line in (b'{"error": "too much"}{"event": "secret"}\n', b'{"error": "", "b": "secret"}\n'):
        told = _damage(line)
        assert NOT_SHOWN in told
        assert "secret" not in told


@pytest.mark.usefixtures("_data_hidden")
@pytest.mark.parametrize("answered", [True, False])
def test_a_broken_answer_is_told_by_the_kind_of_its_fault(*, answered: bool) -> None:
    try:
        raise ProtocolError("of 'secret'") from ValueError("'secret'")
    except ProtocolError as error:
        told = error_of(REQUEST, "https://mixpanel.com", error, answered=answered)
    expected = "ProtocolError, ValueError" if answered else "ProtocolError: of 'secret'"
    assert told.internal_message == expected
