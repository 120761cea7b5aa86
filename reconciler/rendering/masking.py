"""Personal data taken out of what is printed, for logs that others read: ``--mask personal``.

A plan is masked as a value, before any format sees it: keys, names, logins, addresses and numbers of people become
``person-007``, other values that may tell who somebody is ``(masked)``. What is kept is named (`masked_people`), all
else goes. Prose (messages, reasons, notes) is searched for everything that is known of people, for addresses of e-mail
and phone numbers, and for quoted values. Numbers are given in the order in which people are met; they mean nothing
elsewhere.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from reconciler.model import (
    AccessChange,
    Address,
    AttributeChange,
    Change,
    Diagnostic,
    LiveReference,
    Origin,
    Plan,
    ResourceType,
    SourceLocation,
    Split,
    Value,
    Violation,
)
from reconciler.rendering.masked_operations import masked_operation
from reconciler.rendering.masked_people import PERSON, KnownPeople, is_kept
from reconciler.rendering.naming import is_reference
from reconciler.scim.values import canonical_text

MASKED: Final = "(masked)"
_LEVEL: Final = "[name eq "
"""In the path of how well somebody can do something: the level of a skill or a language."""
_TOKEN: Final = re.compile(r"\w+|\W")
_LONGEST: Final = 24
"""Tokens of the longest name that is searched for."""
_USER: Final = re.compile(r"\buser\.([^\W_][\w.@+-]{0,63})")
_EMAIL: Final = re.compile(r"[^\s\"'<>(),;:=]+@[^\s\"'<>(),;:=]*[^\s\"'<>(),;:=.]")
_PHONE: Final = re.compile(r"(?:tel:)?\+\d[\d ().-]{4,}\d(?:;ext=\d+)?")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Mask:
    """The same number for a person in everything that it masks. `known` is told of people first."""

    def __init__(self) -> None:
        self.known = KnownPeople()

    def text(self, text: str) -> str:
        """Prose without people. A quoted value goes, unless it is a name that stays."""
        text = self.names(text)
        return _QUOTED.sub(lambda found: found.group() if self.known.stays(found.group(1)) else f'"{MASKED}"', text)

    def names(self, text: str) -> str:
        """A path, an id, the name of a file: only what is known of people goes, and what cannot be anything else."""
        text = _USER.sub(self._user, text)
        text = _EMAIL.sub(lambda found: self.known.person(found.group()), text)
        return _PHONE.sub(MASKED, self._without_known(text))

    def plan(self, plan: Plan) -> Plan:
        """The plan as others may read it. Its digest is another one: print that of the plan itself."""
        self.known.learn_plan(plan)
        return replace(
            plan,
            changes=tuple([self.change(each) for each in plan.changes]),
            drift=tuple([self.change(each) for each in plan.drift]),
            operations=tuple([masked_operation(each, self.address, self.names, MASKED) for each in plan.operations]),
            violations=tuple([self._violation(each) for each in plan.violations]),
            refused=tuple([self.diagnostic(each) for each in plan.refused]),
            notices=tuple([self.diagnostic(each) for each in plan.notices]),
            names={self.names(each): self._name(*names) for each, names in plan.names.items()},
            access=tuple([self._access(each) for each in plan.access]),
        )

    def split(self, split: Split | None) -> Split | None:
        """How a plan is divided, masked like the plan."""
        if split is None:
            return None
        here, earlier = (tuple([self.change(each) for each in some]) for some in (split.here, split.earlier))
        return replace(split, here=here, earlier=earlier)

    def change(self, change: Change) -> Change:
        """One change; that of a group keeps its name."""
        is_user = change.address.resource_type is ResourceType.USER
        address = self.address(change.address)
        return replace(
            change,
            address=address,
            label=address.key if is_user else change.label,
            live_id=self.names(change.live_id) if change.live_id else change.live_id,
            attribute_changes=tuple([self._difference(each, is_user) for each in change.attribute_changes]),
            reason=self.text(change.reason),
            source=self._source(change.source),
            notes=self._texts(change.notes),
            warnings=self._texts(change.warnings),
        )

    def diagnostic(self, diagnostic: Diagnostic) -> Diagnostic:
        """A problem, with its code and its place. A value that one of its texts quotes stands in none of them."""
        texts = (diagnostic.summary, diagnostic.detail, diagnostic.mend)
        quoted = {each for text in texts for each in _QUOTED.findall(text) if each and not self.known.stays(each)}
        summary, detail, mend = (_without(self.text(each), quoted) for each in texts)
        return replace(
            diagnostic,
            summary=summary,
            detail=detail,
            mend=mend,
            address=self.address(diagnostic.address) if diagnostic.address else None,
            source=self._source(diagnostic.source),
        )

    def address(self, address: Address) -> Address:
        """``user.person-007``; that of a group as it is."""
        if address.resource_type is ResourceType.GROUP:
            return address
        return Address(ResourceType.USER, self.known.person(address.key))

    def _difference(self, change: AttributeChange, is_user: bool) -> AttributeChange:
        stays = not is_user or is_kept(change.path) or change.item is not None
        item = change.item
        if item is not None and is_reference(change.path):
            item = self.names(item)
        return replace(
            change,
            path=self.names(change.path),
            item=item,
            before=self._value(change.before, change.path, stays),
            after=self._value(change.after, change.path, stays),
            notes=self._texts(change.notes if stays else [each.partition(": ")[0] for each in change.notes]),
            origin=self._origin(change.origin),
        )

    def _value(self, value: Value, path: str, stays: bool) -> Value:
        match value:
            case Address():
                return self.address(value)
            case LiveReference():
                return replace(value, name=self.known.person(value.name))
            case None | bool():
                return value
            case int() | float() if _LEVEL in path:
                return value
            case str() if is_reference(path):
                return self.names(value)
            case _:
                return value if stays else MASKED

    def _name(self, name: str, display: str) -> tuple[str, str]:
        return (name, display) if self.known.stays(name) else (self.known.person(name), "")

    def _access(self, change: AccessChange) -> AccessChange:
        return replace(change, person=self.names(change.person), name=self.known.person(change.name), label="")

    def _violation(self, violation: Violation) -> Violation:
        mend = violation.mend if violation.digest in violation.mend else self.text(violation.mend)
        return replace(
            violation, summary=self.text(violation.summary), items=self._texts(violation.items), mend=self.names(mend)
        )

    def _source(self, source: SourceLocation | None) -> SourceLocation | None:
        return replace(source, path=self.names(source.path)) if source else None

    def _origin(self, origin: Origin | None) -> Origin | None:
        return replace(origin, source=self._source(origin.source), via=self.text(origin.via)) if origin else None

    def _texts(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple([self.text(each) for each in texts])

    def _user(self, found: re.Match[str]) -> str:
        key = found.group(1).rstrip(".-")
        return f"user.{self.known.person(key)}{found.group(1)[len(key) :]}"

    def _without_known(self, text: str) -> str:
        """Known names, the longest first, where they begin and end as words do."""
        tokens = _TOKEN.findall(canonical_text(text))
        pieces: list[str] = []
        at = 0
        while at < len(tokens):
            size = self._known_from(tokens, at)
            found = "".join(tokens[at : at + max(size, 1)])
            pieces.append(self.known.person(found) if size else found)
            at += max(size, 1)
        return "".join(pieces)

    def _known_from(self, tokens: list[str], at: int) -> int:
        """How many tokens from there on are a name that is known; 0 for none."""
        if tokens[at].isspace() or (tokens[at] == "person" and PERSON.fullmatch("".join(tokens[at : at + 3]))):
            return 0
        for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
            # somebody's key may be `work`: an attribute is called so all the same
            if self.known.is_known("".join(tokens[at : at + size])):
                return 0 if size == 1 and self.known.is_schema(tokens[at]) else size
        return 0


def _without(text: str, values: Iterable[str]) -> str:
    for each in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", MASKED, text)
    return text
