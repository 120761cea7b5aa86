"""Somebody who goes and somebody who comes, and who look like one person: key and userName changed in one commit.

She would lose one account and be given another, without roles, memberships and history of the first. Only who reviews
the plan knows whether she is one person, so it is said and nothing is guessed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.diffing.ground import Ground
from reconciler.model import Action, Cause, DesiredResource, ResourceType, Value, without_case

_Values: TypeAlias = Mapping[str, Value]
_Going: TypeAlias = Mapping[tuple[str, str, bool], Sequence[str]]
"""What is alike, the value of it, and whether whoever has an employeeNumber counts -> the keys of those who go."""
_FEW: Final = 3
"""So many of those who may be meant are named."""


def speak_of_renames(ground: Ground) -> None:
    """A notice for each newcomer who looks like somebody who is to go.

    By the first of these that both have alike: employeeNumber, displayName, given and family name, work e-mail. Two
    different employeeNumbers are two people, whatever they are called.
    """
    coming = list(_coming(ground))
    going = _going(ground) if coming else {}
    for wanted in coming if going else ():
        what, alike = _alike(wanted.attributes, going)
        if len(alike) == 1:
            summary = f"comes as new while user.{alike[0]} goes, who has the same {what}"
            ground.notice("may-be-renamed", summary, f"if they are one person, write formerly: [{alike[0]}]", wanted)
        elif alike:
            named = ", ".join(f"user.{each}" for each in alike[:_FEW])
            more = f" and {len(alike) - _FEW} more" if len(alike) > _FEW else ""
            summary = f"comes as new while {named}{more} go, who have the same {what}"
            ground.notice("may-be-renamed", summary, "if she is one of them, write that key under formerly", wanted)


def _coming(ground: Ground) -> Iterator[DesiredResource]:
    """Who has had no account before. Whom others deleted is no newcomer."""
    for each in ground.differences.findings:
        new = each.whole is not None and each.whole[0] is Action.CREATE and each.whole[1] is not Cause.DRIFT
        if new and each.address.resource_type is ResourceType.USER:
            yield ground.situation.desired.resources[each.address]


def _going(ground: Ground) -> _Going:
    """Everybody who is declared no more and from whom something is taken."""
    situation = ground.situation
    going: dict[tuple[str, str, bool], list[str]] = {}
    for each in ground.differences.findings:
        address = each.address
        if address.resource_type is not ResourceType.USER or address in situation.desired.resources:
            continue
        found = situation.live.resources[str(each.live_id)]
        # the server may keep less than it was given
        values = {**situation.applied.resources[address].values, **found.attributes}
        for what, read in _SIGNS.items():
            if value := read(values):
                going.setdefault((what, value, True), []).append(address.key)
                if _number(values) is None:
                    going.setdefault((what, value, False), []).append(address.key)
    return going


def _alike(values: _Values, going: _Going) -> tuple[str, Sequence[str]]:
    """What somebody has alike with some who go, and their keys."""
    numbered = _number(values) is not None
    for what, read in _SIGNS.items():
        value = read(values)
        alike = going.get((what, value, read is _number or not numbered)) if value else None
        if alike:
            return what, alike
    return "", ()


def _number(values: _Values) -> str | None:
    return _text(values, next((each for each in values if each.endswith(":employeeNumber")), ""))


def _display_name(values: _Values) -> str | None:
    return _text(values, "displayName")


def _full_name(values: _Values) -> str | None:
    given, family = _text(values, "name.givenName"), _text(values, "name.familyName")
    return f"{given}\n{family}" if given and family else None


def _email(values: _Values) -> str | None:
    return _text(values, 'emails[type eq "work"].value')


def _text(values: _Values, path: str) -> str | None:
    value = values.get(path)
    return without_case(value) if isinstance(value, str) and value else None


_SIGNS: Final[Mapping[str, Callable[[_Values], str | None]]] = {
    "employeeNumber": _number,
    "displayName": _display_name,
    "given and family name": _full_name,
    "work e-mail": _email,
}
