"""Profiles: every field can be written, every mistake has a place, and the schema for editors says the same."""

import json
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest
import yaml
from msgspec import Struct
from msgspec.structs import fields

from reconciler.declarations.loading import HINTS
from reconciler.errors import InputError
from reconciler.model import ListMode, ResourceType
from reconciler.profiles import loading
from reconciler.profiles.checks import RESERVED
from reconciler.profiles.conversion import camel_case
from reconciler.profiles.loading import known_kinds, load_profile, profile_names, read_profile
from reconciler.profiles.profile import RFC, AttributeRules, LifecycleRules, MembershipRules, Profile, WireRules
from reconciler.scim.attributes import Attribute, Kind
from reconciler.settings import Target
from reconciler.settings.overlay import target_profile
from reconciler.yamlsource import Quoted, number, read_yaml

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "profile.schema.json").read_text())
SECTIONS: dict[str, type] = {
    "wire": WireRules,
    "users": AttributeRules,
    "groups": AttributeRules,
    "membership": MembershipRules,
    "lifecycle": LifecycleRules,
}
# Keys whose value has to fit to the table, or to another key.
FITTING: dict[str, Any] = {
    "unsupported": {"externalId": "there is none"},
    "required": ["externalId"],
    "caseInsensitive": ["externalId"],
    "readOnlyElements": {"externalId": ["x"]},
    "notStored": ["externalId"],
    "modes": {"externalId": "additive"},
    "neverRemoved": {"externalId": ["x"]},
    "costly": ["externalId"],
    "givenAtCreate": ["externalId"],
    "wholeLists": ["externalId"],
    "existing": ["externalId"],
    "usersPath": "/people",
    "groupsPath": "/teams",
    "limitsPath": "/limits",
    "retryStatuses": [429],
    "rateHeaders": {"count": "x-count"},
    "rights": {"users.read": "see"},
    "environment": {"region": "REGION"},
    "cutLists": ["active eq false"],
    "regionUrl": "https://api.{domain}/scim",
    "regionTokenUrl": "https://login.{domain}/token",
}
COMPANIONS: dict[str, dict[str, Any]] = {
    "regions": {"regionUrl": "https://api.{domain}/scim"},
    "cutLists": {"userListFilters": [None, "active eq false"]},
}
OF_USERS_ONLY = ("bareExtension", "costly", "wholeLists")


def sample(hint: Any, default: Any) -> Any:
    """Something of this type, as YAML data, that is not the default."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return sample(next(each for each in arguments if each is not NoneType), default)
    if origin is tuple:
        return [sample(arguments[0], None)]
    if origin is Mapping:
        return {"one": sample(arguments[1], None)}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(each.value for each in hint if each != default)
    if hint is bool:
        return not default
    return {str: "word", int: 7, float: 7.5}[hint]


def writable_fields(cls: type) -> list[tuple[str, str, Any]]:
    """Field name, its key and a value for it; `table` is written as `attributes`."""
    hints = get_type_hints(cls)
    found = []
    for each in fields(cls):
        if not (isinstance(hints[each.name], type) and issubclass(hints[each.name], Struct)):
            key = camel_case(each.name)
            found.append((each.name, key, FITTING.get(key, sample(hints[each.name], each.default))))
    return found


def plain(value: Any) -> Any:
    """A value of a profile as YAML would hold it."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


def read(data: Mapping[str, Any], name: str = "try") -> Profile:
    text = yaml.safe_dump({"name": name, "title": "Try", **data}, allow_unicode=True)
    return read_profile(text.encode(), "profiles/try.yaml", name)


ALL_FIELDS = [
    (section, *each)
    for section, cls in SECTIONS.items()
    for each in writable_fields(cls)
    if section != "groups" or each[1] not in OF_USERS_ONLY
]


@pytest.mark.parametrize(("section", "name", "key", "value"), ALL_FIELDS, ids=[f"{s}.{k}" for s, _, k, _ in ALL_FIELDS])
def test_every_field_is_reachable_from_yaml(section: str, name: str, key: str, value: Any) -> None:
    data = {section: {key: value, **COMPANIONS.get(key, {})}}
    before, after = getattr(RFC, section), getattr(read(data), section)
    assert plain(getattr(after, name)) == value
    assert getattr(before, name) != getattr(after, name)
    assert type(getattr(after, name)) is type(getattr(before, name)) or None in (getattr(before, name), value)
    assert errors_by_schema({"name": "try", "title": "Try", **data}) == []


@pytest.mark.parametrize("section", ["users", "groups"])
@pytest.mark.parametrize(("name", "key", "value"), writable_fields(Attribute), ids=lambda each: str(each)[:20])
def test_every_field_of_an_attribute_is_reachable_from_yaml(section: str, name: str, key: str, value: Any) -> None:
    if key == "schema":
        value = "urn:acme:2.0:Other"
    row = {"name": "word", "kind": "number", "schema": "urn:acme:2.0:User", "maximum": 9, key: value}
    attribute = getattr(read({section: {"attributes": [row]}}), section).table.get("word")
    assert plain(getattr(attribute, name)) == value
    assert errors_by_schema({"name": "try", "title": "Try", section: {"attributes": [row]}}) == []


def test_every_field_of_the_profile_itself_is_known() -> None:
    assert {camel_case(each.name) for each in fields(Profile)} | {"extends"} == set(SCHEMA["properties"])


@pytest.mark.parametrize("section", SECTIONS)
def test_schema_and_section_name_the_same_keys(section: str) -> None:
    keys = {key for of, _, key, _ in ALL_FIELDS if of == section}
    own = {"attributes"} if section in ("users", "groups") else set()
    assert set(SCHEMA["properties"][section]["properties"]) == keys | own


def test_schema_and_attribute_name_the_same_keys_and_kinds() -> None:
    properties = SCHEMA["$defs"]["attribute"]["properties"]
    assert set(properties) == {key for _, key, _ in writable_fields(Attribute)}
    assert properties["kind"]["enum"] == [each.value for each in Kind]


def test_schema_is_valid_and_describes_everything() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for node in nodes(SCHEMA):
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False
            assert all(each["title"] and each["description"] for each in node["properties"].values())


def test_the_plain_profile_is_the_defaults() -> None:
    assert load_profile("rfc") == RFC


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_keep_to_the_schema_and_are_package_data(name: str) -> None:
    text = (resources.files("reconciler.profiles") / f"{name}.yaml").read_bytes()
    (document,) = read_yaml(text, name).documents
    assert errors_by_schema(with_numbers(document)) == []
    assert load_profile(name) is load_profile(name)
    assert load_profile(name).name == name


def test_an_extended_profile_keeps_what_it_does_not_write() -> None:
    profile = read({"extends": "rfc", "wire": {"pageSize": 25}})
    assert profile.wire == WireRules(page_size=25)
    assert profile.users == RFC.users


def test_attributes_are_added_and_replaced_whole() -> None:
    rows = [{"name": "badge", "kind": "text"}, {"name": "emails", "kind": "keyed", "parts": ["value"]}]
    table = read({"users": {"attributes": rows}}).users.table
    assert [each.name for each in table.attributes] == [*(each.name for each in RFC.users.table.attributes), "badge"]
    assert table.get("emails") == Attribute(name="emails", kind=Kind.KEYED, parts=("value",))
    assert RFC.users.table.get("badge") is None


def test_an_unknown_profile_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        load_profile("genesis")
    assert caught.value.summary == 'there is no profile "genesis"'
    assert caught.value.mend == "did you mean genesys?"


BAD: list[tuple[str, str, list[tuple[int, int, str]]]] = [
    ("unknown key", "name: try\ntitle: T\nwyre: {}", [(3, 1, "unknown-key")]),
    ("unknown key below", "name: try\ntitle: T\nwire: {page_size: 3}", [(3, 8, "unknown-key")]),
    ("table is ours", "name: try\ntitle: T\nusers: {table: []}", [(3, 9, "unknown-key")]),
    ("no title", "name: try", [(1, 1, "missing-key")]),
    ("another name", "name: other\ntitle: T", [(1, 1, "wrong-name")]),
    ("not a mapping", "[a]", [(1, 1, "wrong-type")]),
    ("two documents", "name: try\n---\nname: try", [(1, 1, "wrong-type")]),
    ("empty", "", [(1, 1, "wrong-type")]),
    ("tag", "name: try\ntitle: !t T", [(2, 8, "tag")]),
    ("empty value", "name: try\ntitle:", [(2, 1, "empty-value")]),
    ("empty value below", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: }]}", [(3, 32, "empty-value")]),
    ("repeated key", "name: try\ntitle: T\ntitle: U", [(3, 1, "repeated-key")]),
    ("section no mapping", "name: try\ntitle: T\nwire: 5", [(3, 7, "wrong-type")]),
    ("text for number", "name: try\ntitle: T\nwire: {pageSize: many}", [(3, 18, "wrong-type")]),
    ("quoted number", 'name: try\ntitle: T\nwire: {pageSize: "5"}', [(3, 18, "wrong-type")]),
    ("zero", "name: try\ntitle: T\nwire: {pageSize: 0}", [(3, 18, "wrong-type")]),
    ("fraction", "name: try\ntitle: T\nmembership: {addMax: 1.5}", [(3, 22, "wrong-type")]),
    ("negative", "name: try\ntitle: T\nwire: {timeout: -1}", [(3, 17, "wrong-type")]),
    ("yes is text", "name: try\ntitle: T\nwire: {useVersions: yes}", [(3, 21, "wrong-type")]),
    ("null for text", "name: try\ntitle: T\nwire: {usersPath: null}", [(3, 19, "wrong-type")]),
    ("mapping for text", "name: try\ntitle: T\nwire: {usersPath: {a: b}}", [(3, 19, "wrong-type")]),
    ("list for text", "name: try\ntitle: T\nwire: {usersPath: [a]}", [(3, 19, "wrong-type")]),
    ("text for list", "name: try\ntitle: T\nusers: {required: userName}", [(3, 19, "wrong-type")]),
    ("bad item", "name: try\ntitle: T\nwire: {retryStatuses: [429, busy]}", [(3, 29, "wrong-type")]),
    ("bad entry", "name: try\ntitle: T\nwire: {headers: {Accept: [a]}}", [(3, 26, "wrong-type")]),
    ("list for mapping", "name: try\ntitle: T\nusers: {modes: [roles]}", [(3, 16, "wrong-type")]),
    ("unknown mode", "name: try\ntitle: T\nusers: {modes: {roles: additiv}}", [(3, 24, "unknown-value")]),
    ("mode is a list", "name: try\ntitle: T\nusers: {modes: {roles: []}}", [(3, 24, "unknown-value")]),
    ("unknown kind", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: txt}]}", [(3, 38, "unknown-value")]),
    ("no kind", "name: try\ntitle: T\nusers: {attributes: [{name: a}]}", [(3, 22, "missing-key")]),
    ("keyed without parts", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: keyed, value: null}]}",
     [(3, 22, "missing-key")]),
    ("keyed value is no part", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: keyed, parts: [b]}]}",
     [(3, 22, "unknown-value")]),
    ("attribute is text", "name: try\ntitle: T\nusers: {attributes: [a]}", [(3, 22, "wrong-type")]),
    ("attributes are text", "name: try\ntitle: T\nusers: {attributes: a}", [(3, 21, "wrong-type")]),
    ("unknown attribute", "name: try\ntitle: T\nusers: {required: [usrName]}", [(3, 19, "unknown-attribute")]),
    ("other case", "name: try\ntitle: T\nusers: {unsupported: {nickname: no}}", [(3, 22, "unknown-attribute")]),
    ("user's attribute on groups", "name: try\ntitle: T\ngroups: {notStored: [userName]}",
     [(3, 21, "unknown-attribute")]),
    ("unknown base", "name: try\ntitle: T\nextends: rcf", [(3, 10, "unknown-profile")]),
    ("path without a slash", "name: try\ntitle: T\nwire: {usersPath: Users}", [(3, 19, "wrong-path")]),
    ("path with a slash at its end", "name: try\ntitle: T\nwire: {groupsPath: /Groups/}", [(3, 20, "wrong-path")]),
    ("path that is an address", "name: try\ntitle: T\nwire: {limitsPath: 'https://x/y'}", [(3, 20, "wrong-path")]),
    ("a query in a path", "name: try\ntitle: T\nwire: {usersPath: '/Users?a=b'}", [(3, 19, "wrong-path")]),
    ("URL without https", "name: try\ntitle: T\nwire: {regionUrl: 'http://{domain}/x'}", [(3, 19, "unknown-value")]),
    ("secret in a header", "name: try\ntitle: T\nwire: {headers: {authorization: Bearer x}}",
     [(3, 18, "secret-header")]),
    ("cookie", "name: try\ntitle: T\nwire: {headers: {Cookie: a=b}}", [(3, 18, "secret-header")]),
    ("header of the client's own", "name: try\ntitle: T\nwire: {headers: {Accept-Encoding: br}}",
     [(3, 18, "wrong-header")]),
    ("header that is two", 'name: try\ntitle: T\nwire: {headers: {X-A: "a\\r\\nX-B: c"}}', [(3, 18, "wrong-header")]),
    ("name of a header", "name: try\ntitle: T\nwire: {headers: {X A: b}}", [(3, 18, "wrong-header")]),
    ("media type", 'name: try\ntitle: T\nwire: {contentType: "a\\nb"}', [(3, 21, "wrong-header")]),
    ("no listing", "name: try\ntitle: T\nwire: {userListFilters: []}", [(3, 25, "no-listing")]),
    ("cut list that is none", "name: try\ntitle: T\nwire: {cutLists: [active eq false]}", [(3, 18, "unknown-value")]),
    ("later that means done", "name: try\ntitle: T\nwire: {retryStatuses: [200]}", [(3, 23, "unknown-value")]),
    ("rate header", "name: try\ntitle: T\nwire: {rateHeaders: {alowed: x}}", [(3, 22, "unknown-key")]),
    ("variable", "name: try\ntitle: T\nwire: {environment: {token: X}}", [(3, 22, "unknown-key")]),
    ("right", "name: try\ntitle: T\nwire: {rights: {users.delte: X}}", [(3, 17, "unknown-key")]),
    ("reserved name", "name: try\ntitle: T\nusers: {attributes: [{name: Password, kind: text}]}",
     [(3, 29, "reserved-name")]),
    ("name with a dot", "name: try\ntitle: T\nusers: {attributes: [{name: a.b, kind: text}]}", [(3, 29, "wrong-name")]),
    ("name twice", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: text}, {name: a, kind: text}]}",
     [(3, 52, "repeated-name")]),
    ("name in another case", "name: try\ntitle: T\nusers: {attributes: [{name: nickname, kind: text}]}",
     [(3, 29, "wrong-name")]),
    ("schema that is no URN", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: text, schema: acme}]}",
     [(3, 52, "unknown-value")]),
    ("limits exchanged", "name: try\ntitle: T\nusers: {attributes: [{name: a, kind: levels, minimum: 5, maximum: 1}]}",
     [(3, 22, "unknown-value")]),
    ("found by", "name: try\ntitle: T\nusers: {notStored: [userName]}", [(3, 20, "identifying")]),
    ("groups found by", "name: try\ntitle: T\ngroups: {unsupported: {displayName: no}}", [(3, 23, "identifying")]),
    ("of users only", "name: try\ntitle: T\ngroups: {bareExtension: true, costly: [members], wholeLists: [members]}",
     [(3, 10, "of-users-only"), (3, 31, "of-users-only"), (3, 50, "of-users-only")]),
    ("regions without a URL", "name: try\ntitle: T\nwire: {regions: {a: b}}", [(3, 8, "missing-key")]),
    ("URL without a domain", "name: try\ntitle: T\nwire: {regionUrl: https://x}", [(3, 19, "unknown-value")]),
    ("all at once", "name: try\ntitle: T\nwire: {pageSize: a, timeout: b}\nlifecycle: {groupCreate: 1}\nx: y",
     [(3, 18, "wrong-type"), (3, 30, "wrong-type"), (4, 26, "wrong-type"), (5, 1, "unknown-key")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_a_mistake_is_told_with_its_place(text: str, expected: list[tuple[int, int, str]]) -> None:
    with pytest.raises(InputError) as caught:
        read_profile(text.encode(), "profiles/try.yaml", "try")
    found = [(each.source.line, each.source.column, each.code) for each in caught.value.diagnostics if each.source]
    assert found == expected


def test_shapes_that_are_known_elsewhere_are_kept() -> None:
    text = "name: try\ntitle: T\nusers: {attributes: [{name: roles, kind: text}, {name: routingSkills, kind: names}]}\n"
    assert read_profile(text.encode(), "profiles/try.yaml", "try")
    with pytest.raises(InputError) as caught:
        read_profile(text.encode(), "profiles/try.yaml", "try", known_kinds())
    assert [each.summary for each in caught.value.diagnostics] == [
        "users.attributes: roles is of kind names everywhere, not text",
        "users.attributes: routingSkills is of kind levels everywhere, not names",
    ]


def test_two_levels_and_a_circle_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, base in (("a", "b"), ("b", "a"), ("c", "d"), ("d", "rfc")):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ntitle: T\nextends: {base}\n")
    (tmp_path / "rfc.yaml").write_text("name: rfc\ntitle: T\n")
    monkeypatch.setattr(loading, "_FOLDER", tmp_path)
    monkeypatch.setattr(loading, "profile_names", lambda: ("a", "b", "c", "d", "rfc"))
    monkeypatch.setattr(loading, "load_profile", loading.load_profile.__wrapped__)
    for name in ("a", "c"):
        with pytest.raises(InputError) as caught:
            loading.load_profile(name)
        assert [each.code for each in caught.value.diagnostics] == ["extends-twice"]
    assert loading.load_profile("d").extends == "rfc"


def test_names_that_declarations_use_otherwise_are_reserved() -> None:
    schema = json.loads((ROOT / "schemas" / "identities.schema.json").read_text())["$defs"]
    words = {*schema["user"]["properties"], *schema["group"]["properties"], "password", "id", "meta", "schemas", "$ref"}
    words -= set(known_kinds()[ResourceType.USER])
    assert {"password", "id", "meta", "schemas", "$ref"} <= set(HINTS)
    assert {each.lower() for each in words} == {each.lower() for each in RESERVED - {"active", "template"}}


def test_names_of_attributes_become_paths() -> None:
    row = {"name": "badge", "kind": "text", "schema": "urn:acme:2.0:User"}
    rules = read(
        {"users": {"attributes": [row], "required": ["badge", "userName"], "caseInsensitive": ["badge"]}}
    ).users
    assert rules.required == ("urn:acme:2.0:User:badge", "userName")
    assert rules.folds("urn:acme:2.0:User:badge")


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        read({"wire": {"pagesize": 5}})
    assert [(each.summary, each.mend) for each in caught.value.diagnostics] == [
        ("wire has no key pagesize", "did you mean pageSize?")
    ]


def test_a_target_lays_its_own_settings_over_the_profile() -> None:
    target = Target(
        name="try",
        profile="genesys",
        url="https://example.com",
        modes={"entitlements": ListMode.ADDITIVE, "roles": ListMode.AUTHORITATIVE},
        not_stored=("dateHire", "emails.primary", "group.externalId"),
        page_size=25,
    )
    profile, base = target_profile(target), load_profile("genesys")
    assert profile.wire.page_size == 25
    assert profile.wire.users_path == base.wire.users_path
    assert profile.users.modes == {"roles": ListMode.AUTHORITATIVE, "entitlements": ListMode.ADDITIVE}
    assert profile.users.not_stored == ("dateHire", "emails.primary")
    assert profile.groups.not_stored == ("externalId",)
    assert base.users.not_stored == ()
    emails = profile.users.table.get("emails")
    assert emails is not None
    assert not profile.users.stores(emails, 'emails[type eq "work"].primary')
    assert profile.users.stores(emails, 'emails[type eq "work"].value')


def test_a_target_that_says_nothing_has_its_profile_as_it_is() -> None:
    assert target_profile(Target(name="try", profile="rfc", url="https://example.com")) == RFC


def errors_by_schema(data: Any) -> list[str]:
    return [each.message for each in jsonschema.Draft202012Validator(SCHEMA).iter_errors(data)]


def with_numbers(data: Any) -> Any:
    """What an editor sees: plain scalars that look like numbers are numbers."""
    if isinstance(data, dict):
        return {key: with_numbers(each) for key, each in data.items()}
    if isinstance(data, list):
        return [with_numbers(each) for each in data]
    found = number(data) if isinstance(data, str) and not isinstance(data, Quoted) else None
    return data if found is None else found


def nodes(node: Any) -> list[dict[str, Any]]:
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [*([node] if isinstance(node, dict) else []), *(each for one in below for each in nodes(one))]
