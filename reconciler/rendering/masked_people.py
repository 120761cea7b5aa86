"""Who is known of people, for a plan without them: every name that one person goes by, and the number that she gets."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from reconciler.model import Change, DesiredState, LiveState, Plan, ResourceType
from reconciler.rendering.naming import is_reference
from reconciler.rendering.neutral import NAME_LIMIT, neutral
from reconciler.scim.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES, AttributeTable, Kind
from reconciler.scim.paths import short_path
from reconciler.scim.values import canonical_text

PERSON: Final = re.compile(r"(?:user\.)?person-\d+")
"""Whoever has a number already."""
_KEPT: Final = frozenset({
    "active", "title", "userType", "preferredLanguage", "locale", "timezone",
    "department", "division", "organization", "costCenter",
})  # fmt: skip
"""Attributes of users whose values stay: what somebody works as and where, which others share."""
_ATTRIBUTE_NAMES: Final = frozenset(
    each.name.casefold() for table in (USER_ATTRIBUTES, GROUP_ATTRIBUTES) for each in table.attributes
)


class KnownPeople:
    """What is known of people, and the number that stands for each; numbers go by the order in which they are asked."""

    def __init__(self) -> None:
        self._hers: dict[str, int] = {}
        self._shared: dict[str, int] = {}
        self._ids: dict[str, int] = {}
        self._same: dict[int, int] = {}
        self._met = 0
        self._numbers: dict[int, int] = {}
        self._words: set[str] = set()
        self._schema: set[str] = set()
        self._telling: set[str] = set()
        self._valued: set[str] = set()
        self.describe(USER_ATTRIBUTES, GROUP_ATTRIBUTES)

    def describe(self, *tables: AttributeTable) -> None:
        """What attributes are called, their parts, and the types of elements: words that are nobody's."""
        for each in (attribute for table in tables for attribute in table.attributes):
            self._schema.update((each.name, each.key, *each.parts, *each.keys, *each.types))
            if each.kind is Kind.KEYED:
                self._telling.add(each.key)
                self._valued.update((each.value,) if each.value else ())

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
        telling = self._telling - self._valued
        hers = [value for path, value in values.items() if not (is_kept(path) or is_reference(path))]
        self.learn(named, [each for value in hers for each in _texts_in(value, telling)], resource_id)

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
            if not is_kept(each.path) and not is_reference(each.path)
            for value in (each.before, each.after)
            if isinstance(value, str)
        ]
        self.learn((change.address.key,), (change.label, *values), change.live_id or "")

    # --- asked

    def person(self, name: str) -> str:
        """Who it is, as a key: ``person-007``."""
        if PERSON.fullmatch(name):
            return name
        known = self._known(_folded(name))
        if known is None:
            self.learn((name,))
            known = self._met
        return f"person-{self._numbers.setdefault(known, len(self._numbers) + 1):03}"

    def is_known(self, name: str) -> bool:
        """Whether it is a name of somebody."""
        return self._known(_folded(name)) is not None

    def is_schema(self, word: str) -> bool:
        """Whether a word, just as it is spelled, is one of the schema: ``phoneNumbers``, ``work``."""
        return word in self._schema

    def stays(self, word: str) -> bool:
        """Whether a word may be printed: the name of a group, a role, an attribute; a number that was given."""
        folded = _folded(word)
        return folded in self._words or folded in _ATTRIBUTE_NAMES or PERSON.fullmatch(word) is not None


def is_kept(path: str) -> bool:
    """Whether it is what somebody works as or where, which others share."""
    return short_path(path) in _KEPT


def _texts_in(value: object, telling: Collection[str]) -> Iterator[str]:
    """Every text in a value; what a name or an address consists of counts by its parts.

    What tells elements apart (`telling`: ``type``) is no text of hers: others have elements of that type too.
    """
    match value:
        case str():
            yield value
        case dict():
            for each in (part for name, part in value.items() if name not in telling):
                yield from _texts_in(each, telling)
        case list() | tuple():
            for each in value:
                yield from _texts_in(each, telling)


def _folded(text: str) -> str:
    return canonical_text(text).casefold()
