"""Whom to import, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from reconciler.drafting import File, Where
from reconciler.model import Address, Change, Diagnostic, LiveResource, PatchOp, Severity, SourceLocation
from reconciler.reconcile import Reconciliation
from reconciler.scim.paths import short_path

_MEMBERS: Final = "members"


class Choice(Struct, frozen=True, kw_only=True):
    """Whom to take. `filter`: an RFC 7644 §3.4.2.2 filter on users, which the target answers; then no groups.

    `at_rest`: inactive users too.
    """

    filter: str | None = None
    at_rest: bool = False


class Imported(Struct, frozen=True, kw_only=True):
    """What to write: path, relative to the project's base -> file. `left_out`: what is not in it, and why.

    `declared`: live users and groups that are declared already; `at_rest`: inactive users that were not asked for.
    `follows`: what a plan would do about those who are declared already, because of those who are new. `compared`: the
    target beside everything that is declared, the new ones among them.
    """

    files: Mapping[str, File]
    users: int
    groups: int
    declared: int
    at_rest: int
    left_out: tuple[Diagnostic, ...] = ()
    follows: tuple[Diagnostic, ...] = ()
    compared: Reconciliation


class Missing(Struct, frozen=True, kw_only=True):
    """What an import leaves out: somebody whole (`where` is empty), or one of her lines or values, and why.

    `key`: hers, where the rest of her is written. `source`, `mend`: the line that stands in the way, and what to do.
    """

    resource: LiveResource
    where: Where
    reason: str
    key: str | None = None
    source: SourceLocation | None = None
    mend: str = ""


def told(missing: Iterable[Missing]) -> tuple[Diagnostic, ...]:
    """A notice for each thing that is left out; where only the person differs, one for all, with their names."""
    alike: dict[tuple[str, str, str, SourceLocation | None], list[Missing]] = {}
    for each in missing:
        alike.setdefault((each.resource.resource_type, _place(each.where), each.reason, each.source), []).append(each)
    return tuple(_notice(group) for group in alike.values())


def followed(changes: Iterable[Change], names: Mapping[str, tuple[str, str]]) -> tuple[Diagnostic, ...]:
    """A notice for each declared user or group whom a plan would now change, because of those who are new.

    `names`: live id -> key and display name.
    """
    return tuple(
        Diagnostic(
            severity=Severity.NOTICE,
            code="import-changes",
            summary=f"{each.address} will be changed by the next plan: {_changes(each, names)}",
            detail="A line that was there already speaks of somebody who is new.",
            mend="look at it in the plan before anything is applied",
            address=each.address,
            source=each.source,
        )
        for each in changes
    )


def _changes(change: Change, names: Mapping[str, tuple[str, str]]) -> str:
    words = []
    for each in change.attribute_changes:
        what = each.item if each.item is not None else each.after
        shown = names[what][0] if isinstance(what, str) and what in names else what
        words.append(f"{short_path(each.path)} {'-' if each.op is PatchOp.REMOVE else '+'} {shown}")
    return ", ".join(words)


def _notice(group: Sequence[Missing]) -> Diagnostic:
    first, number = group[0], len(group)
    place, kind = _place(first.where), first.resource.resource_type
    names = [str(Address(kind, each.key)) if each.key else f'"{each.resource.name}"' for each in group]
    verb = "are" if place == _MEMBERS else "is"
    if number == 1:
        what = f"{place or names[0]} {verb} left out"
    else:
        what = f"{place} {verb} left out of {number:,} {kind}s" if place else f"{number:,} {kind}s are left out"
    return Diagnostic(
        severity=Severity.NOTICE,
        code="not-imported",
        summary=f"{what}: {first.reason.removeprefix(f'{place}: ')}",
        detail=", ".join(names) if number > 1 else "",
        mend=first.mend,
        address=Address(kind, first.key) if number == 1 and first.key else None,
        source=first.source,
    )


def _place(where: Where) -> str:
    """A place in a draft as people say it: ``emails.work``; of members, who go by their ids, the list alone."""
    return _MEMBERS if where[:1] == (_MEMBERS,) else ".".join(each for each in where if each)
