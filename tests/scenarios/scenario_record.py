"""The record of a scenario, read from declarations: what was last brought about is written as it was declared.

    whole: true                     # an apply has reached its end on it (the default)
    users:
      ann.lee: {id: u-ann, userName: ann.lee@example.com, title: Agent}
    groups:
      support: {id: g-support, displayName: Support, members: [ann.lee, {user: bob.li, until: 2026-12-31}]}
    announced:                      # by an apply that nobody has verified
      user.ann.lee: {values: {title: Lead}, give: {roles: [Lead]}, take: {roles: [Agent]}, leaving: true}

`id` may be null: a create without an answer. `active` may stand beside dates: it is what the dates had brought about.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from reconciler.declarations import load_declarations, resolve
from reconciler.diffing.activity import dates_of
from reconciler.model import (
    Address,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    DesiredResource,
    LiveReference,
    Pending,
    Value,
)
from reconciler.profiles.profile import Profile
from reconciler.record.encoding import encode
from reconciler.record.header import RecordHeader, url_fingerprint
from reconciler.scim.paths import level_path
from reconciler.settings import Target

LONG_AGO = date(1970, 1, 1)
"""No membership had ended then, so all of them are in the record."""


def recorded(text: str, target: Target, profile: Profile, names: Mapping[str, str], scratch: Path) -> dict[str, bytes]:
    """The files of the record that a text describes. `names`: userName -> id of live people."""
    written: dict[str, Any] = yaml.load(text, _Loader)
    entries = {
        f"{kind[:-1]}.{key}": entry for kind in ("users", "groups") for key, entry in written.get(kind, {}).items()
    }
    ids: dict[str, str | None] = {address: entry.pop("id") for address, entry in entries.items()}
    active = {address: entry.pop("active") for address, entry in entries.items() if "active" in entry}
    lines = {kind: written[kind] for kind in ("users", "groups") if kind in written}
    file = scratch / "identities" / "recorded.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(lines, allow_unicode=True, sort_keys=False), encoding="utf-8")
    declarations = load_declarations(scratch, ["identities"])
    assert not declarations.diagnostics, declarations.diagnostics
    target = replace(target, identities=("identities",))
    desired = resolve(declarations, target, profile, LONG_AGO)
    reader = _Reader(profile, ids, names)
    resources = {address: reader.entry(wanted) for address, wanted in desired.resources.items()}
    for text_address, value in active.items():
        address = Address.parse(text_address)
        resources[address] = replace(resources[address], values={**resources[address].values, "active": value})
    for text_address, said in written.get("announced", {}).items():
        address = Address.parse(text_address)
        known = resources.get(address, AppliedResource(address=address, live_id=None))
        resources[address] = replace(known, pending=reader.announced(address, said))
    state = AppliedState(whole=written.get("whole", True), resources=resources, exists=True)
    header = RecordHeader(target=target.name, url_fingerprint=url_fingerprint(target.url), run="1", tool="1")
    return encode(state, header, None)


class _Loader(yaml.SafeLoader):
    """Knows of plain scalars what declarations know: true, false, null and numbers by JSON's grammar."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML has it on the class


_INTEGER, _FLOAT = re.compile(r"^-?(?:0|[1-9][0-9]*)$"), re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~)$"), ["n", "~"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
for _kind, _form in (("int", _INTEGER), ("float", _FLOAT)):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _form, list("-0123456789"))


class _Reader:
    """Turns declared values into what the record holds."""

    def __init__(self, profile: Profile, ids: Mapping[str, str | None], names: Mapping[str, str]) -> None:
        self.profile = profile
        self.ids = ids
        self.names = names

    def entry(self, wanted: DesiredResource) -> AppliedResource:
        table = self.profile.rules(wanted.address.resource_type).table
        values = {path: self._value(value) for path, value in wanted.attributes.items()}
        lists: dict[str, AppliedList] = {}
        for name, lines in wanted.lists.items():
            attribute = table.get(name)
            assert attribute is not None
            items = {}
            for key, how in lines.items.items():
                item = str(self._value(key))
                items[item] = AppliedItem(until=how.until.isoformat() if how.until else None)
                if how.level is not None:
                    values[level_path(attribute, item)] = how.level
            lists[name] = AppliedList(mode=lines.mode, items=items)
        return AppliedResource(
            address=wanted.address,
            live_id=self.ids[str(wanted.address)],
            values=values,
            lists=lists,
            dates=dates_of(wanted.lifecycle),
        )

    def announced(self, address: Address, said: Mapping[str, Any]) -> Pending:
        table = self.profile.rules(address.resource_type).table

        def path(name: str) -> str:
            attribute = table.get(name)
            return attribute.path if attribute is not None else name

        return Pending(
            values={path(name): value for name, value in said.get("values", {}).items()},
            give={name: {each: AppliedItem() for each in items} for name, items in said.get("give", {}).items()},
            take={name: frozenset(items) for name, items in said.get("take", {}).items()},
            delete=said.get("delete", False),
            leaving=said.get("leaving", False),
        )

    def _value(self, value: Any) -> Value:
        if isinstance(value, Address):
            return self.ids[str(value)]
        if isinstance(value, LiveReference):
            return self.names[value.name]
        known: Value = value
        return known
