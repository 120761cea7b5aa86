"""Groups of one target, resolved: members from the group's own lines, from the users' lines and from rules, united."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from reconciler.declarations.compiling import Compiler
from reconciler.declarations.declared import Entry, fold
from reconciler.declarations.layers import Parts, Single
from reconciler.declarations.people import Index, Person, override_layer
from reconciler.declarations.reporting import quoted
from reconciler.model import (
    Address,
    DesiredItem,
    DesiredList,
    DesiredResource,
    ItemKey,
    ListMode,
    LiveReference,
    Origin,
    ResourceType,
    SourceLocation,
    Value,
)
from reconciler.scim.attributes import Kind
from reconciler.scim.values import canonical_text

MEMBERS = "members"


def groups_of(
    compiler: Compiler, people: Mapping[Address, Person], index: Index, today: date
) -> dict[Address, DesiredResource]:
    """Every group for the compiler's target, in order of declaration; of two with one key the first."""
    named = _named_by_users(people)
    found: dict[Address, DesiredResource] = {}
    for entry in compiler.view.groups:
        if entry.is_for(compiler.target.name):
            group = _Group(entry, compiler)
            first = compiler.view.group(entry.key) is entry
            resolved = group.resolved(named.get(group.address, {}) if first else {}, index, today)
            if first:
                found[group.address] = resolved
    return found


def _named_by_users(people: Mapping[Address, Person]) -> dict[ItemKey, dict[Address, Origin]]:
    named: dict[ItemKey, dict[Address, Origin]] = {}
    for address, person in people.items():
        for group, item in person.groups.items():
            named.setdefault(group, {})[address] = item.origin
    return named


class _Line(Struct, frozen=True):
    """One way in which somebody is a member."""

    until: date | None
    origin: Origin


class _Group:
    """One group on its way to desired state."""

    def __init__(self, entry: Entry, compiler: Compiler) -> None:
        self.entry = entry
        self.compiler = compiler
        self.report = compiler.report
        self.places = entry.places
        self.address = Address(ResourceType.GROUP, entry.key)
        self.override: dict[str, Any] = entry.data.get("overrides", {}).get(compiler.target.name) or {}
        self.lines: dict[ItemKey, _Line] = {}

    def resolved(self, named: Mapping[Address, Origin], index: Index, today: date) -> DesiredResource:
        """The group, with `named` the users who name it."""
        attributes, origins = self._attributes()
        lists: dict[str, DesiredList] = {}
        if self._has(MEMBERS) or self._has("memberRule") or named:
            self._own_members()
            for user, origin in named.items():
                self._add(user, None, origin)
            self._by_rule(index)
            lists[MEMBERS] = self._list(today)
            written = next((each for each in (MEMBERS, "memberRule") if self._has(each)), None)
            if written is not None:
                origins[MEMBERS] = Origin(self.places.key(self._holder(written), written))
        return DesiredResource(
            address=self.address,
            attributes=attributes,
            source=self.entry.source,
            lists=lists,
            formerly=tuple(str(each) for each in self.entry.data.get("formerly", ())),
            origins=origins,
        )

    def _attributes(self) -> tuple[dict[str, Value], dict[str, Origin]]:
        own = self.compiler.layer(ResourceType.GROUP, self.entry.data, self.places, of=self.address)
        override = override_layer(self.entry, self.address, self.compiler)
        for doubtful in (self.entry.doubtful, own.doubtful, override.doubtful if override else ()):
            self.compiler.doubt(self.address, doubtful)
        attributes: dict[str, Value] = {}
        origins: dict[str, Origin] = {}
        for each in {**own.lines, **(override.lines if override else {})}.values():
            if isinstance(each, Single):
                attributes[each.path], origins[each.path] = each.value, each.spot.origin
            elif isinstance(each, Parts):
                for path, (value, spot) in each.cells.items():
                    attributes[path], origins[path] = value, spot.origin
        return attributes, origins

    def _list(self, today: date) -> DesiredList:
        items: dict[ItemKey, DesiredItem] = {}
        expired: dict[ItemKey, date] = {}
        for key, line in self.lines.items():
            if line.until is not None and today > line.until:
                expired[key] = line.until
            else:
                items[key] = DesiredItem(origin=line.origin, until=line.until)
        return DesiredList(mode=self._mode(), items=items, expired=expired)

    def _mode(self) -> ListMode:
        if self._has("membership"):
            return ListMode(str(self._holder("membership")["membership"]))
        modes = {**self.compiler.profile.groups.modes, **self.compiler.target.modes}
        return modes.get(MEMBERS, ListMode.AUTHORITATIVE)

    def _holder(self, word: str) -> dict[str, Any]:
        """The mapping whose line counts: the override's, where it has one."""
        return self.override if word in self.override else self.entry.data

    def _has(self, word: str) -> bool:
        return word in self._holder(word)

    # --- own lines

    def _own_members(self) -> None:
        if not self._has(MEMBERS):
            return
        written = self._holder(MEMBERS)[MEMBERS] or []
        seen: dict[ItemKey, SourceLocation] = {}
        for index, raw in enumerate(written):
            source = self.places.value(written, index)
            key = self._member(raw, source)
            if key is None:
                continue
            same = LiveReference(key.resource_type, fold(key.name)) if isinstance(key, LiveReference) else key
            if same in seen:
                self._repeated(key, source, seen[same])
                continue
            seen[same] = source
            if not isinstance(raw, dict):
                self._add(key, None, Origin(source))
            elif "until" in raw:
                until = self.compiler.texts.day("until", raw["until"], self.places.value(raw, "until"), self.address)
                if until is not None:
                    self._add(key, until, Origin(source))
            elif not self.places.has_hole(raw):
                self._add(key, None, Origin(source))

    def _member(self, raw: Any, source: SourceLocation) -> ItemKey | None:
        if not isinstance(raw, dict):
            return self._user(raw, source)
        kinds = [each for each in ("user", "group", "live") if each in raw]
        if not kinds and self.places.has_hole(raw):
            return None
        if len(kinds) != 1:
            self.report.error(
                "wrong-member",
                source,
                f"this member of {self.address} has {' and '.join(kinds) or 'none of user, group and live'}",
                why="A member is one of user, group and live.",
                mend="write one line for each",
                of=self.address,
            )
            return None
        kind = kinds[0]
        place = self.places.value(raw, kind)
        if kind == "live":
            return self.compiler.references.live(raw, self.places, self.address)
        return self._user(raw[kind], place) if kind == "user" else self._nested(raw[kind], place)

    def _user(self, name: Any, source: SourceLocation) -> Address | None:
        return self.compiler.references.user(name, source, self.address, "unknown-member")

    def _nested(self, name: Any, source: SourceLocation) -> Address | None:
        if not self.compiler.profile.membership.nested:
            self.report.error(
                "nested-not-supported",
                source,
                f"{self.compiler.profile.title} takes no groups inside groups",
                mend="name the people, or use memberRule",
                of=self.address,
            )
            return None
        return self.compiler.references.group(name, source, self.address)

    def _repeated(self, key: ItemKey, source: SourceLocation, first: SourceLocation) -> None:
        name = key.name if isinstance(key, LiveReference) else key.key if isinstance(key, Address) else key
        self.report.error(
            "repeated-item",
            source,
            f"members names {quoted(name)} twice, first at {first}",
            mend="take one out",
            of=self.address,
        )

    def _add(self, key: ItemKey, until: date | None, origin: Origin) -> None:
        known = self.lines.get(key)
        if known is None:
            self.lines[key] = _Line(until, origin)
        elif known.until != until:
            first, ends = known.origin, [str(each) for each in (known.until, until) if each is not None]
            self.report.error(
                "conflicting-until",
                origin.source or self.entry.source,
                f"{key} is in {self.address} until {ends[0]}, and also without that end ({first.source})"
                if len(ends) == 1
                else f"{key} is in {self.address} until {ends[1]}, and also until {ends[0]} ({first.source})",
                why="Nobody can tell which one counts.",
                mend="keep one of the two lines",
                of=self.address,
            )

    # --- rule

    def _by_rule(self, index: Index) -> None:
        if not self._has("memberRule"):
            return
        holder = self._holder("memberRule")
        rule: dict[str, Any] = holder["memberRule"]
        source = self.places.key(holder, "memberRule")
        matched: dict[Address, None] | None = None
        sound = True
        for word in rule:
            having = self._having(word, rule, index)
            sound = sound and having is not None
            matched = having if matched is None else {each: None for each in matched if each in (having or {})}
        if not sound or self.compiler.may_hold(self.address, "memberRule"):
            return
        for user in matched or {}:
            self._add(user, None, Origin(source, "memberRule"))
        if not matched and not self.compiler.doubts and self.compiler.view.complete:
            self.report.warning(
                "rule-matches-nobody",
                source,
                f"the memberRule of {self.address} fits nobody",
                why=f'Nobody declared for target "{self.compiler.target.name}" has all of its values.',
                mend="compare its values with those of the people it should fit",
                of=self.address,
            )

    def _having(self, word: str, rule: dict[str, Any], index: Index) -> dict[Address, None] | None:
        """Who fits one condition, in order; None if the condition itself is wrong."""
        found: dict[Address, None] = {}
        rules = self.compiler.profile.users
        attribute = rules.table.get(word)
        if word != "template" and (attribute is None or word in rules.unsupported):
            self.compiler.unsupported(ResourceType.USER, word, self.places.key(rule, word), self.address)
            return None
        for value, source in self._alternatives(word, rule):
            if word == "template":
                if self.compiler.view.template(value) is None:
                    self.compiler.references.unknown_template(value, source, self.address)
                    return None
                having = index.with_template(value)
            elif attribute is not None and attribute.is_list:
                having = index.with_item(word, canonical_text(value))
            elif attribute is not None and attribute.kind is Kind.REFERENCE:
                manager = self._user(value, source)
                having = index.with_value(attribute.path, manager) if manager is not None else ()
            else:
                having = index.with_value(attribute.path if attribute else word, canonical_text(value))
            found.update(dict.fromkeys(having))
        return found

    def _alternatives(self, word: str, rule: dict[str, Any]) -> Iterator[tuple[str, SourceLocation]]:
        raw = rule[word]
        if not isinstance(raw, list):
            yield str(raw), self.places.value(rule, word)
            return
        for position, each in enumerate(raw):
            yield str(each), self.places.value(raw, position)
