"""A syntax check for Mixpanel's filter expressions, so that a typo costs no request.

The grammar is Mixpanel's documented one (segmentation expressions), read generously: any
selector (`properties["x"]`, `user["x"]`, `event["$time"]`) and any function name passes. What
an expression means is Mixpanel's business.
"""

from __future__ import annotations

_GRAMMAR = r"""
?start: or_test
?or_test: and_test ("or"i and_test)*
?and_test: not_test ("and"i not_test)*
?not_test: "not"i not_test | comparison
?comparison: sum (("==" | "!=" | ">=" | "<=" | ">" | "<" | "in"i | "not"i "in"i) sum)*
?sum: term (("+" | "-") term)*
?term: factor (("*" | "/" | "%") factor)*
?factor: "-" factor | atom
?atom: NAME "[" STRING "]" ("[" (STRING | NUMBER) "]")*
     | NAME "(" [or_test ("," or_test)*] ")"
     | "[" [or_test ("," or_test)*] "]"
     | "(" or_test ")"
     | STRING | NUMBER | NAME
NAME: /(?!(?:and|or|not|in)\b)[A-Za-z_][A-Za-z0-9_]*/i
NUMBER: /\d+(\.\d+)?([eE][+-]?\d+)?/
STRING: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
%ignore /\s+/
"""


def check_expression(text: str) -> None:
    """Do nothing if the text reads as an expression.

    Raises:
        ValueError: With a sentence that says where reading stopped.
    """
    # Imported here: only a sync that filters needs the parser.
    from lark import Lark, UnexpectedInput  # noqa: PLC0415

    try:
        Lark(_GRAMMAR, parser="earley").parse(text)
    except UnexpectedInput as error:
        column = getattr(error, "column", None)
        where = f"at character {column}" if isinstance(column, int) and column > 0 else "at its end"
        raise ValueError(
            f"it cannot be read as a Mixpanel expression: something is wrong {where}"
        ) from None
