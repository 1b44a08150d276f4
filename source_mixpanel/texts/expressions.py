"""A syntax check for Mixpanel's filter expressions, so that a typo costs no request.

The grammar is Mixpanel's documented one (segmentation expressions), made tolerant: any selector
(`properties["x"]`, `user["x"]`, `event["$time"]`) and any function name is accepted. The meaning of
an expression is not checked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

_GRAMMAR = r"""
?start: or_test
?or_test: and_test (OR and_test)*
?and_test: not_test (AND not_test)*
?not_test: NOT not_test | comparison
?comparison: sum ((COMPARED | IN | NOT IN) sum)*
?sum: term (("+" | "-") term)*
?term: factor (("*" | "/" | "%") factor)*
?factor: "-" factor | atom
?atom: NAME "[" STRING "]" ("[" (STRING | NUMBER) "]")*
     | NAME "(" [or_test ("," or_test)*] ")"
     | "[" [or_test ("," or_test)*] "]"
     | "(" or_test ")"
     | STRING | NUMBER | NAME
OR: /or\b/i
AND: /and\b/i
NOT: /not\b/i
IN: /in\b/i
COMPARED: /[=!<>]=|[<>]/
NAME: /(?!(?:and|or|not|in)\b)[A-Za-z_][A-Za-z0-9_]*/i
NUMBER: /\d+(\.\d+)?([eE][+-]?\d+)?/
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
%ignore /\s+/
"""


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _parser() -> Lark:
    # Imported here: only a sync that filters needs the parser.
    from lark import Lark  # noqa: PLC0415

    # Its time grows with the length alone, so that a list may have thousands of values.
    return Lark(_GRAMMAR, parser="lalr")


def check_expression(text: str) -> None:
    """Raise unless a text parses as an expression.

    Raises:
        ValueError: With a sentence that says where parsing stopped.
    """
    from lark import UnexpectedInput, UnexpectedToken  # noqa: PLC0415 - as above

    try:
        _parser().parse(text)
    except UnexpectedInput as error:
        over = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        where = "at its end" if over else f"at character {error.column}"
        raise ValueError(
            f"it cannot be read as a Mixpanel expression: something is wrong {where}"
        ) from None


def texts_in(expression: str) -> set[str]:
    """The texts in quotation marks in a valid expression: names and values."""
    quoted = (token for token in _parser().lex(expression) if token.type == "STRING")
    return {_ESCAPED.sub(r"\g<1>", str(token)[1:-1]) for token in quoted}
