"""Expressions, parsed and run as closures (Mixpanel docs: segmentation expressions).

Values are string, number, boolean, null, list, object and undefined. `==` between unlike types is
false; ordering and arithmetic of unlike types is undefined; undefined counts as false. Times are
numbers of seconds, in the frame the project exports them in.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, Tree, v_args
from lark.exceptions import LarkError

from mixpanel_emulator import json_text

_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction | conjunction ("or" conjunction)+ -> either
?conjunction: negation | negation ("and" negation)+ -> both
?negation: comparison | "not" negation -> inverse
?comparison: sum | sum (ORDER | EQUALITY | MEMBER) sum -> compare
?sum: product | sum (PLUS | MINUS) product -> arithmetic
?product: unary | product (TIMES | OVER | REST) unary -> arithmetic
?unary: atom | MINUS unary -> negative
?atom: SCOPE "[" STRING "]" -> access
     | FUNCTION "(" disjunction ")" -> call
     | STRING -> string
     | NUMBER -> number
     | TRUE -> true
     | FALSE -> false
     | NULL -> null
     | "[" [disjunction ("," disjunction)*] "]" -> items
     | "(" disjunction ")"
SCOPE: "properties" | "event" | "user" | "behaviors"
FUNCTION: "floor" | "round" | "ceil" | "string" | "number" | "boolean" | "defined" | "datetime"
TRUE: "true"
FALSE: "false"
NULL: "null"
ORDER: "<=" | ">=" | "<" | ">"
EQUALITY: "==" | "!="
MEMBER: "in"
PLUS: "+"
MINUS: "-"
TIMES: "*"
OVER: "/"
REST: "%"
STRING: /"(\\.|[^"\\])*"/s | /'(\\.|[^'\\])*'/s
NUMBER: /(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/
%import common.WS
%ignore WS
"""


class Undefined:
    """The type of `UNDEFINED`."""

    def __bool__(self) -> bool:
        return False


UNDEFINED = Undefined()
Lookup = Callable[[str, str], Any]
Evaluator = Callable[[Lookup], Any]


class ExpressionError(ValueError):
    """An expression the grammar refuses."""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def _compare(sign: str, left: Any, right: Any) -> Any:
    same = _kind(left) == _kind(right)
    if sign in ("==", "!="):
        equal = same and left is not UNDEFINED and left == right
        return equal if sign == "==" else not equal
    if sign == "in":
        return _contains(left, right)
    if not same or _kind(left) not in ("str", "number"):
        return UNDEFINED
    return _ORDERS[sign](left, right)


def _contains(left: Any, right: Any) -> Any:
    if isinstance(right, list):
        return any(_kind(item) == _kind(left) and item == left for item in right)
    if isinstance(right, str) and isinstance(left, str):
        return left in right
    return UNDEFINED


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    both = {_kind(left), _kind(right)}
    if both != {"number"} and not (both == {"str"} and sign == "+"):
        return UNDEFINED
    try:
        return _SUMS[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return UNDEFINED


def _to_number(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    try:
        number = json_text.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return UNDEFINED
    return number if _kind(number) == "number" else UNDEFINED


def _to_string(value: Any) -> Any:
    if value is UNDEFINED or isinstance(value, str):
        return value
    try:
        return json_text.export_bytes(value).decode()
    except ValueError:
        # Infinity, which no JSON can spell.
        return UNDEFINED


def _to_datetime(value: Any) -> Any:
    if not isinstance(value, str):
        return value if _kind(value) == "number" else UNDEFINED
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return UNDEFINED
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


def _numeric(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        try:
            return function(value) if _kind(value) == "number" else UNDEFINED
        except (OverflowError, ValueError):
            # Infinity and NaN have no floor.
            return UNDEFINED

    return apply


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "floor": _numeric(math.floor),
    "ceil": _numeric(math.ceil),
    "round": _numeric(round),
    "string": _to_string,
    "number": _to_number,
    "boolean": lambda value: value if value is UNDEFINED else bool(value),
    "defined": lambda value: value is not UNDEFINED,
    "datetime": _to_datetime,
}


def _unquote(token: str) -> str:
    inner = token[1:-1]
    if token[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    try:
        # JSON's escapes, but a raw tab or newline inside quotes is let through.
        text = inner.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        return str(json_text.loads(f'"{text}"'))
    except ValueError as error:
        raise ExpressionError(f"bad string literal {token}") from error


@v_args(inline=True)
class _Compiler(Transformer[Token, Evaluator]):
    """Turns the parse tree into one closure."""

    def access(self, scope: Token, name: Token) -> Evaluator:
        scope_name, key = str(scope), _unquote(name)
        return lambda lookup: lookup(scope_name, key)

    def call(self, name: Token, inner: Evaluator) -> Evaluator:
        function = _FUNCTIONS[str(name)]
        return lambda lookup: function(inner(lookup))

    def string(self, token: Token) -> Evaluator:
        value = _unquote(token)
        return lambda _lookup: value

    def number(self, token: Token) -> Evaluator:
        text = str(token)
        value = int(text) if text.isdigit() else float(text)
        return lambda _lookup: value

    def true(self, _token: Token) -> Evaluator:
        return lambda _lookup: True

    def false(self, _token: Token) -> Evaluator:
        return lambda _lookup: False

    def null(self, _token: Token) -> Evaluator:
        return lambda _lookup: None

    def items(self, *inner: Evaluator | None) -> Evaluator:
        parts = [part for part in inner if part is not None]
        return lambda lookup: [part(lookup) for part in parts]

    def compare(self, left: Evaluator, sign: Token, right: Evaluator) -> Evaluator:
        mark = str(sign)
        return lambda lookup: _compare(mark, left(lookup), right(lookup))

    def arithmetic(self, left: Evaluator, sign: Token, right: Evaluator) -> Evaluator:
        mark = str(sign)
        return lambda lookup: _arithmetic(mark, left(lookup), right(lookup))

    def negative(self, _sign: Token, inner: Evaluator) -> Evaluator:
        negate = _numeric(operator.neg)
        return lambda lookup: negate(inner(lookup))

    def inverse(self, inner: Evaluator) -> Evaluator:
        return lambda lookup: not inner(lookup)

    def both(self, *parts: Evaluator) -> Evaluator:
        return lambda lookup: all(part(lookup) for part in parts)

    def either(self, *parts: Evaluator) -> Evaluator:
        return lambda lookup: any(part(lookup) for part in parts)


_DEEPEST = 100

_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=256)
def compile_expression(text: str) -> Evaluator:
    """Parse an expression.

    Returns:
        A function of a lookup `(scope, name) -> value or UNDEFINED`.

    Raises:
        ExpressionError: If the text is not in the language.
    """
    try:
        tree = _PARSER.parse(text)
        if _depth(tree) > _DEEPEST:
            raise ExpressionError("invalid expression: nested too deep")
        return _Compiler().transform(tree)
    except LarkError as error:
        raise ExpressionError(f"invalid expression: {text}") from error


def _depth(tree: object) -> int:
    """How many levels a parse tree has."""
    level: list[object] = [tree]
    depth = 0
    while level := [child for node in level if isinstance(node, Tree) for child in node.children]:
        depth += 1
    return depth
