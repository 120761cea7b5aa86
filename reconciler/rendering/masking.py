"""Personal data taken out of what is printed, for logs that others read: ``--mask personal``.

A plan is masked as a value, before any format sees it: keys, names, logins, addresses and numbers of people become
``person-007``, other values that may tell who somebody is ``(masked)``. What is kept is named here, all else goes.
Prose (messages, reasons, notes) is searched for everything that is known of people, for addresses of e-mail and phone
numbers, and for quoted values. Numbers are given in the order in which people are met; they mean nothing elsewhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from reconciler.model import (
    AccessChange,
    Address,
    AttributeChange,
    Change,
    DesiredState,
    Diagnostic,
    LiveReference,
    LiveState,
    Origin,
    Plan,
    ResourceType,
    SourceLocation,
    Split,
    Value,
    Violation,
)
from reconciler.rendering.masked_operations import masked_operation
from reconciler.rendering.naming import is_reference
from reconciler.rendering.neutral import NAME_LIMIT, neutral
from reconciler.scim.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES
from reconciler.scim.paths import short_path
from reconciler.scim.values import canonical_text

MASKED: Final = "(masked)"
_KEPT: Final = frozenset({
    "active", "title", "userType", "preferredLanguage", "locale", "timezone",
    "department", "division", "organization", "costCenter",
})  # fmt: skip
"""Attributes of users whose values stay: what somebody works as and where, which others share."""
_LEVEL: Final = "[name eq "
"""In the path of how well somebody can do something: the level of a skill or a language."""
_TOKEN: Final = re.compile(r"\w+|\W")
_LONGEST: Final = 24
"""Tokens of the longest name that is searched for."""
_USER: Final = re.compile(r"\buser\.([^\W_][\w.@+-]{0,63})")
_EMAIL: Final = re.compile(r"[^\s\"'<>(),;:=]+@[^\s\"'<>(),;:=]*[^\s\"'<>(),;:=.]")
_PHONE: Final = re.compile(r"(?:tel:)?\+\d[\d ().-]{4,}\d(?:;ext=\d+)?")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PERSON: Final = re.compile(r"(?:user\.)?person-\d+")
_ATTRIBUTE_NAMES: Final = frozenset(
    each.name.casefold() for table in (USER_ATTRIBUTES, GROUP_ATTRIBUTES) for each in table.attributes
)


class Mask:
    """What is known of people, and the number that stands for each; the same in everything that it masks."""

    def __init__(self) -> None:
        self._hers: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        self._ids: dict[str, int] = {}
        self._same: dict[int, int] = {}
        self._met = 0
        self._numbers: dict[int, int] = {}
        self._words: set[str] = set()

    # --- learning

    def learn(self, names: Iterable[str], also: Iterable[str] = (), resource_id: str = "") -> None:
        """One person. `names`: key and userName, hers alone; `also`: what others may share with her.

        Two who were met apart, one by her key and one by her userName, turn out to be one where both stand together.
        Her id stays as it is: it tells nothing to whoever cannot ask the service provider.
        """
        strong = [_folded(each) for each in names if each]
        known = [self._hers[each] for each in strong if each in self._hers]
        known += [self._ids[resource_id]] if resource_id in self._ids else []
        if not known:
            self._met += 1
        person = self._one_of(known) if known else self._met
        self._hers.update(dict.fromkeys(strong, person))
        for text in also:
            for each in (text, neutral(text, NAME_LIMIT)) if len(text) > 1 else ():
                self._shared.setdefault(_folded(each), person)
        if resource_id:
            self._ids[resource_id] = person

    def _one_of(self, known: Iterable[int]) -> int:
        """The one whom all of these stand for; whoever has a number already keeps it."""
        several = {self._now(each) for each in known}
        one = min(several, key=lambda each: (self._numbers.get(each, len(self._numbers) + 1), each))
        self._same.update(dict.fromkeys(several - {one}, one))
        return one

    def _now(self, person: int) -> int:
        while person in self._same:
            person = self._same[person]
        return person

    def _known(self, folded: str) -> int | None:
        found = self._hers.get(folded, self._shared.get(folded))
        return None if found is None else self._now(found)

    def keep(self, words: Iterable[str]) -> None:
        """Names of groups, roles and the like: they stay, in quotes too."""
        self._words.update(_folded(each) for each in words)

    def learn_user(self, names: Iterable[str], values: Mapping[str, object], resource_id: str = "") -> None:
        """One person and what is known of her: `values` by path or name, in any nesting."""
        login = values.get("userName")
        named = (*names, login if isinstance(login, str) else "")
        hers = [value for path, value in values.items() if not (_is_kept(path) or is_reference(path))]
        self.learn(named, [each for value in hers for each in _texts_in(value)], resource_id)

    def learn_state(self, desired: DesiredState, live: LiveState) -> None:
        """Everybody who is declared or live, and all groups."""
        for wanted in desired.resources.values():
            if wanted.address.resource_type is ResourceType.USER:
                self.learn_user((wanted.address.key, *wanted.formerly), wanted.attributes)
            else:
                self.keep((wanted.address.key, str(wanted.attributes.get("displayName"))))
        for found in live.resources.values():
            if found.resource_type is ResourceType.USER:
                self.learn_user((), {**found.attributes, "several": [*found.several.values()]}, found.id)
            else:
                self.keep((found.name,))

    def learn_plan(self, plan: Plan) -> None:
        """Everybody whom a plan names, and what it says of groups and roles."""
        groups = {each.live_id for each in plan.changes if each.address.resource_type is ResourceType.GROUP}
        for change in (*plan.changes, *plan.drift):
            self._learn_change(change)
        for resource_id, (name, display) in plan.names.items():
            if resource_id in groups or resource_id.startswith("bulkId:group."):
                self.keep((name, display))
            else:
                self.learn((name,), (display,), resource_id)
        for access in plan.access:
            self.learn((access.name,), (access.label,), access.person)
            self.keep(each.name for each in (*access.gains, *access.loses))
        self.keep((plan.target, plan.profile))

    def _learn_change(self, change: Change) -> None:
        self.keep(each.item for each in change.attribute_changes if each.item and not is_reference(each.path))
        if change.address.resource_type is ResourceType.GROUP:
            self.keep((change.address.key, change.label))
            return
        values = [
            value
            for each in change.attribute_changes
            if not _is_kept(each.path) and not is_reference(each.path)
            for value in (each.before, each.after)
            if isinstance(value, str)
        ]
        self.learn((change.address.key,), (change.label, *values), change.live_id or "")

    # --- masking

    def person(self, name: str) -> str:
        """Who it is, as a key: ``person-007``."""
        if _PERSON.fullmatch(name):
            return name
        known = self._known(_folded(name))
        if known is None:
            self.learn((name,))
            known = self._met
        return f"person-{self._numbers.setdefault(known, len(self._numbers) + 1):03}"

    def text(self, text: str) -> str:
        """Prose without people. A quoted value goes, unless it is a name that stays."""
        text = self.names(text)
        return _QUOTED.sub(lambda found: found.group() if self._stays(found.group(1)) else f'"{MASKED}"', text)

    def names(self, text: str) -> str:
        """A path, an id, the name of a file: only what is known of people goes, and what cannot be anything else."""
        text = _USER.sub(self._user, text)
        text = _EMAIL.sub(lambda found: self.person(found.group()), text)
        return _PHONE.sub(MASKED, self._without_known(text))

    def plan(self, plan: Plan) -> Plan:
        """The plan as others may read it. Its digest is another one: print that of the plan itself."""
        self.learn_plan(plan)
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
        quoted = {each for text in texts for each in _QUOTED.findall(text) if each and not self._stays(each)}
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
        return Address(ResourceType.USER, self.person(address.key))

    def _difference(self, change: AttributeChange, is_user: bool) -> AttributeChange:
        stays = not is_user or _is_kept(change.path) or change.item is not None
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
                return replace(value, name=self.person(value.name))
            case None | bool():
                return value
            case int() | float() if _LEVEL in path:
                return value
            case str() if is_reference(path):
                return self.names(value)
            case _:
                return value if stays else MASKED

    def _name(self, name: str, display: str) -> tuple[str, str]:
        return (name, display) if self._stays(name) else (self.person(name), "")

    def _access(self, change: AccessChange) -> AccessChange:
        return replace(change, person=self.names(change.person), name=self.person(change.name), label="")

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
        return f"user.{self.person(key)}{found.group(1)[len(key) :]}"

    def _stays(self, word: str) -> bool:
        folded = _folded(word)
        return folded in self._words or folded in _ATTRIBUTE_NAMES or _PERSON.fullmatch(word) is not None

    def _without_known(self, text: str) -> str:
        """Known names, the longest first, where they begin and end as words do."""
        tokens = _TOKEN.findall(canonical_text(text))
        pieces: list[str] = []
        at = 0
        while at < len(tokens):
            size = self._known_from(tokens, at)
            found = "".join(tokens[at : at + max(size, 1)])
            pieces.append(self.person(found) if size else found)
            at += max(size, 1)
        return "".join(pieces)

    def _known_from(self, tokens: list[str], at: int) -> int:
        """How many tokens from there on are a name that is known; 0 for none."""
        if tokens[at].isspace() or (tokens[at] == "person" and _PERSON.fullmatch("".join(tokens[at : at + 3]))):
            return 0
        for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
            if self._known(_folded("".join(tokens[at : at + size]))) is not None:
                return size
        return 0


def _is_kept(path: str) -> bool:
    return short_path(path) in _KEPT


def _without(text: str, values: Iterable[str]) -> str:
    for each in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", MASKED, text)
    return text


def _texts_in(value: object) -> Iterator[str]:
    """Every text in a value; what a name or an address consists of counts by its parts."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts_in(each)
        case list() | tuple():
            for each in value:
                yield from _texts_in(each)


def _folded(text: str) -> str:
    return canonical_text(text).casefold()
