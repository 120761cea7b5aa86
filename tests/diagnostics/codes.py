"""Every code and every sentence of an end that the source text holds, found by reading it: nothing has to be listed.

A code stands where a function or a value type has a parameter `code` or `rule`, or comes first in a tuple of sentences.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import reconciler
from tests.diagnostics.sentences import Scope, longest, template

PACKAGE = Path(reconciler.__file__).parent
FOREIGN = ("sandbox",)
"""The embedded provider speaks as a server does; its words are not ours."""
_CORE = ("diffing", "matching", "planning", "reconcile")
"""Where an error is about one identity that cannot be planned."""
_CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)*\Z|[a-z]+Removals\Z")
_SENTENCES = ("_Sentence", "tuple[str, str, str, str]")
_ENDS = (
    *("UsageError", "InputError", "Unreachable", "SignInFailed", "NotScim", "IncompleteListing", "RecordTrouble"),
    "StalePlan",
)


DYNAMIC = {("checkout", "value"): ("behind", "diverged")}
"""Module and last word of an expression that gives a code -> the codes it can give; tested against the enumeration."""


@dataclass(frozen=True, order=True)
class Said:
    """A code (or a class of errors), what kind of word it is, and the templates of its sentences beside it."""

    code: str
    kind: str
    module: str
    summary: str = ""
    mend: str = ""


@dataclass(frozen=True)
class _Taker:
    """A callable that takes a code: its parameters without self, and the sentences that it puts beside any code."""

    names: tuple[str, ...]
    summary: str = ""
    mend: str = ""

    @property
    def word(self) -> str:
        return "rule" if "rule" in self.names else "code"


class _Takers(dict[str, _Taker]):
    """Callables by name; a private one is known in its module only."""

    def of(self, module: str, node: ast.Call) -> _Taker | None:
        name = _called(node)
        return self.get(_known_as(module, name))


def _known_as(module: str, name: str) -> str:
    return f"{module}.{name}" if name.startswith("_") or name == "cls" else name


@cache
def codes() -> tuple[Said, ...]:
    """Every place of the source that gives a code."""
    takers = _takers()
    return tuple(sorted({said for module, tree in _modules() for said in _codes(module, tree, takers)}))


@cache
def refusals() -> dict[str, Said]:
    """Code -> a place that gives it, of whatever leaves one identity as it is."""
    return {each.code: each for each in codes() if each.kind == "refuse" or _refuses(each)}


def _refuses(said: Said) -> bool:
    return said.kind == "error" and said.module.partition(".")[0] in _CORE


@cache
def ends() -> list[Said]:
    """Every place of the source that raises what means "cannot go on"."""
    found = set()
    for module, tree in _modules():
        for scope, node in _calls(module, tree):
            if _called(node) in _ENDS and node.args:
                words = template(node.args[0], scope), template(_end_mend(node), scope)
                found.add(Said(_called(node), "end", module, *words))
    return sorted(each for each in found if re.search(r"\w", each.summary))


def _end_mend(node: ast.Call) -> ast.expr | None:
    between = ("problems",) if _called(node) == "InputError" else ()
    return _argument(node, ("summary", *between, "mend"), "mend")


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    paths = {path.relative_to(PACKAGE).with_suffix("").parts: path for path in sorted(PACKAGE.rglob("*.py"))}
    ours = {parts: path for parts, path in paths.items() if parts[0] not in FOREIGN}
    return tuple((".".join(parts), ast.parse(path.read_text(encoding="utf-8"))) for parts, path in ours.items())


@cache
def _takers() -> _Takers:
    found = _Takers()
    for module, tree in _modules():
        for name, names in _signatures(tree):
            found[_known_as(module, name)] = _Taker(names)
    for module, tree in _modules():
        for node in _nodes(tree):
            name = _known_as(module, node.name) if isinstance(node, ast.FunctionDef) else ""
            if isinstance(node, ast.FunctionDef) and name in found:
                found[name] = _with_sentences(found[name], module, node, found)
    return found


def _with_sentences(taker: _Taker, module: str, function: ast.FunctionDef, takers: _Takers) -> _Taker:
    """Where the function hands its code on, the sentences that it hands on with it."""
    for scope, node in _calls(module, ast.Module([function], [])):
        inner = takers.of(module, node)
        code = _argument(node, inner.names, inner.word) if inner is not None else None
        if inner is not None and isinstance(code, ast.Name) and code.id == taker.word:
            return replace(taker, summary=_summary(node, inner, scope), mend=_mend(node, inner, scope))
    return taker


def _signatures(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in _nodes(tree):
        if isinstance(node, ast.FunctionDef):
            given = (*node.args.args, *node.args.kwonlyargs)
            names = tuple(each.arg for each in given if each.arg not in ("self", "cls"))
            called = [node.name]
        elif isinstance(node, ast.ClassDef):
            fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
            names = tuple(each.id for each in fields if isinstance(each, ast.Name))
            called = [node.name, "cls"] if node.name == "Trouble" else [node.name]
        else:
            continue
        if {"code", "rule"} & set(names):
            yield from ((each, names) for each in called)


def _codes(module: str, tree: ast.Module, takers: _Takers) -> Iterator[Said]:
    for scope, node in _calls(module, tree):
        taker = takers.of(module, node)
        if taker is not None:
            yield from _from_call(module, node, taker, scope)
    for each in _nodes(tree):
        if isinstance(each, ast.FunctionDef) and each.returns and ast.unparse(each.returns) in _SENTENCES:
            yield from _from_sentences(module, each)


@cache
def _at_the_top(module: str) -> Scope:
    """The names at the top of a module, its own and those that it takes from other modules of the package."""
    found: Scope = {}
    for node in dict(_modules())[module].body:
        match node:
            case ast.ImportFrom(module=str(name), names=names) if name.startswith(f"{PACKAGE.name}."):
                theirs = name.removeprefix(f"{PACKAGE.name}.")
                known = _at_the_top(theirs) if theirs in dict(_modules()) else {}
                found |= {
                    (each.asname or each.name) + end: known[each.name + end]
                    for each in names
                    for end in ("", "()")
                    if each.name + end in known
                }
            case ast.Assign() | ast.AnnAssign(target=ast.Name(), value=ast.expr()):
                found |= _set(node)
    for function in _nodes(dict(_modules())[module]):
        if isinstance(function, ast.FunctionDef) and function.returns and ast.unparse(function.returns) == "str":
            found[f"{function.name}()"] = longest(
                each.value for each in _nodes(function) if isinstance(each, ast.Return)
            )
    return found


@cache
def _nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


@cache
def _calls(module: str, tree: ast.Module) -> tuple[tuple[Scope, ast.Call], ...]:
    """Every call, with the names of the module and of the function around it."""
    found: dict[ast.Call, Scope] = {}
    for function in reversed([each for each in _nodes(tree) if isinstance(each, ast.FunctionDef)]):
        scope: Scope = {}
        calls: list[ast.Call] = []
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                scope |= {name: value for name, value in _set(node) if name not in scope}
            elif isinstance(node, ast.Call):
                calls.append(node)
        for call in calls:
            found.setdefault(call, scope)
    for node in _nodes(tree):
        if isinstance(node, ast.Call):
            found.setdefault(node, {})
    top = _at_the_top(module)
    return tuple((top | scope, call) for call, scope in found.items())


def _set(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, ast.expr]]:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if isinstance(target, ast.Name) and node.value is not None:
        yield target.id, node.value
    elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        yield from (
            (each.id, value)
            for each, value in zip(target.elts, node.value.elts, strict=False)
            if isinstance(each, ast.Name)
        )


def _from_call(module: str, node: ast.Call, taker: _Taker, scope: Scope) -> Iterator[Said]:
    severity = _argument(node, taker.names, "severity")
    kind = severity.attr.lower() if isinstance(severity, ast.Attribute) else _called(node).strip("_")
    sentences = _summary(node, taker, scope), _mend(node, taker, scope)
    for each in _given(module, _argument(node, taker.names, taker.word)):
        yield Said(each, "rule" if taker.word == "rule" else kind, module, *sentences)


def _summary(node: ast.Call, taker: _Taker, scope: Scope) -> str:
    given = [_argument(node, taker.names, each) for each in ("summary", "reason", "words")]
    return next((template(each, scope) for each in given if each is not None), taker.summary)


def _mend(node: ast.Call, taker: _Taker, scope: Scope) -> str:
    return template(_argument(node, taker.names, "mend"), scope) or taker.mend


def _given(module: str, code: ast.expr | None) -> Iterator[str]:
    if isinstance(code, ast.Attribute) and (module, code.attr) in DYNAMIC:
        yield from DYNAMIC[module, code.attr]
    for each in ast.walk(code) if code is not None else ():
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _CODE.match(each.value):
            yield each.value


def _from_sentences(module: str, function: ast.FunctionDef) -> Iterator[Said]:
    own = {name: value for node in ast.walk(function) if isinstance(node, ast.Assign) for name, value in _set(node)}
    scope: Scope = _at_the_top(module) | own
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 4:
            first, summary = node.value.elts[:2]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield Said(first.value, "error", module, template(summary, scope))


def unexplained() -> list[str]:
    """Expressions that give a code and that this reading cannot follow."""
    takers = _takers()
    found = []
    for module, tree in _modules():
        for _, node in _calls(module, tree):
            taker = takers.of(module, node)
            code = _argument(node, taker.names, taker.word) if taker is not None else None
            parts = list(ast.walk(code)) if code is not None else []
            handed_on = isinstance(code, ast.Name) or any(
                isinstance(each, ast.Attribute) and each.attr in ("code", "rule") for each in parts
            )
            if code is not None and not handed_on and not list(_given(module, code)) and not _is_number(code):
                found.append(f"{module}: {ast.unparse(node)[:100]}")
    return found


def unread() -> list[str]:
    """Expressions that give a mend in words of their own, none of which this reading finds."""
    takers, found = _takers(), []
    for module, tree in _modules():
        for scope, node in _calls(module, tree):
            taker = takers.of(module, node)
            given = _end_mend(node) if _called(node) in _ENDS else _argument(node, taker.names if taker else (), "mend")
            if given is not None and not _is_handed_on(given, scope) and template(given, scope) == "…":
                found.append(f"{module}: {ast.unparse(given)}")
    return found


def _is_handed_on(mend: ast.expr, scope: Scope) -> bool:
    if isinstance(mend, ast.Name):
        return mend.id not in scope and not mend.id.isupper()
    return any(isinstance(each, ast.Attribute) and each.attr in ("mend", "hint") for each in ast.walk(mend))


def _is_number(code: ast.expr) -> bool:
    return isinstance(code, ast.Attribute) and code.attr == "returncode"


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _argument(node: ast.Call, names: tuple[str, ...], name: str) -> ast.expr | None:
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    if name in names and names.index(name) < len(node.args):
        return node.args[names.index(name)]
    return None
