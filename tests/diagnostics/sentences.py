"""A sentence of the source text as a template: what is only known at run time is …"""

import ast
import re
from collections.abc import Iterable

Scope = dict[str, ast.expr]
"""Names -> what they are set to first; what a function `name` gives back is under ``name()``."""


def longest(texts: Iterable[ast.expr | None]) -> ast.expr:
    """The one of some expressions that says most; an empty text if there is none."""
    given = (each for each in texts if each is not None)
    return max(given, key=lambda each: len(template(each, {})), default=ast.Constant(""))


def template(node: ast.expr | None, scope: Scope) -> str:
    """A sentence with … for what is only known at run time."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(template(each, {}) for each in parts).replace("……", "…")
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return template(left, scope) + template(right, scope)
        case ast.BoolOp(values=[*_, last]):
            return template(last, scope)
        case ast.IfExp(body=body, orelse=other):
            return template(body, scope) or template(other, scope)
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return re.sub(r"\{\w*\}", "…", template(text, scope))
        case ast.Subscript(value=table) | ast.Call(func=ast.Attribute(value=table, attr="get")) if _texts(table, scope):
            return template(longest(_texts(table, scope)), scope)
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if f"{called}()" in scope:
            return template(scope[f"{called}()"], _without(f"{called}()", scope))
        case ast.Name(id=name) if name in scope:
            return template(scope[name], _without(name, scope))
        case None:
            return ""
        case _:
            return "…"


def _texts(table: ast.expr, scope: Scope) -> list[ast.expr]:
    """The values of a dictionary that a name stands for."""
    given = scope.get(table.id) if isinstance(table, ast.Name) else None
    return given.values if isinstance(given, ast.Dict) else []


def _without(name: str, scope: Scope) -> Scope:
    return {other: value for other, value in scope.items() if other != name}
