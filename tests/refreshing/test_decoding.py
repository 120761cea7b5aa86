"""What a service provider answers, and the canonical form it takes: a table in both directions, and two properties."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import IncompleteListing
from reconciler.model import ABSENT, NOT_READ, LiveResource, ResourceType
from reconciler.profiles.loading import load_profile
from reconciler.profiles.profile import RFC, AttributeRules, Profile
from reconciler.refreshing import decode_resource
from reconciler.scim.attributes import ENTERPRISE_USER, USER_ATTRIBUTES, Attribute, Kind

ENTERPRISE = ENTERPRISE_USER
GENESYS = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
ACME = "urn:acme:params:scim:schemas:extension:badge:1.0:User"


def user(row: dict[str, Any], profile: Profile = RFC, **more: Any) -> LiveResource:
    return decode_resource({"id": "u1"} | row, ResourceType.USER, profile, **more)


def group(row: dict[str, Any], profile: Profile = RFC) -> LiveResource:
    return decode_resource({"id": "g1"} | row, ResourceType.GROUP, profile)


@pytest.mark.parametrize(
    ("row", "attributes"),
    [
        ({}, {}),
        ({"userName": "ann@x.io"}, {"userName": "ann@x.io"}),
        ({"USERNAME": "ann@x.io", "DisplayName": "Ann"}, {"userName": "ann@x.io", "displayName": "Ann"}),
        ({"displayName": "Zoe\u0308"}, {"displayName": "Zo\u00eb"}),
        ({"title": None}, {}),
        ({"title": ""}, {}),
        ({"emails": [], "roles": None, "name": {}}, {}),
        ({"title": 7}, {"title": "7"}),
        ({"active": True}, {"active": True}),
        ({"active": "False"}, {"active": False}),
        ({"active": "true"}, {"active": True}),
        ({"active": "maybe"}, {"active": "maybe"}),
        ({"name": {"givenName": "Ann", "FAMILYNAME": "Lee", "formatted": None}},
         {"name.givenName": "Ann", "name.familyName": "Lee"}),
        ({ENTERPRISE: {"department": "Ops", "manager": {"value": "u2", "displayName": "Bo"}}},
         {f"{ENTERPRISE}:department": "Ops", f"{ENTERPRISE}:manager": "u2"}),
        ({ENTERPRISE.upper(): {"DEPARTMENT": "Ops"}}, {f"{ENTERPRISE}:department": "Ops"}),
        ({f"{ENTERPRISE}:department": "Ops"}, {f"{ENTERPRISE}:department": "Ops"}),
        ({ENTERPRISE: {"manager": "u2"}}, {f"{ENTERPRISE}:manager": "u2"}),
        ({ENTERPRISE: {"manager": {"value": ""}}}, {}),
        ({ENTERPRISE: {"manager": {}, "department": None}}, {}),
        ({ENTERPRISE: None}, {}),
        ({ACME: {"level": 4.0, "tags": ["b", "a"], "no": None}}, {f"{ACME}:level": 4, f"{ACME}:tags": ["b", "a"]}),
        ({"groups": [{"value": "g1"}], "password": "x", "meta": {}, "schemas": [], "favourite": "blue"}, {}),
    ],
)  # fmt: skip
def test_single_values(row: dict[str, Any], attributes: dict[str, Any]) -> None:
    read = user(row)
    assert read.attributes == attributes
    assert read.not_read == {}
    for path, value in attributes.items():
        assert type(read.attributes[path]) is type(value)


WORK, HOME = 'emails[type eq "work"]', 'emails[type eq "home"]'


@pytest.mark.parametrize(
    ("emails", "attributes"),
    [
        ([{"type": "work", "value": "a@x.io", "primary": True}],
         {f"{WORK}.value": "a@x.io", f"{WORK}.primary": True,
          "emails": [{"type": "work", "value": "a@x.io", "primary": True}]}),
        # RFC 7643 2.4: primary that is not specified is false, so both are none
        ([{"type": "work", "value": "a@x.io"}],
         {f"{WORK}.value": "a@x.io", "emails": [{"type": "work", "value": "a@x.io"}]}),
        ([{"Type": "work", "VALUE": "a@x.io", "display": None, "primary": "False"}],
         {f"{WORK}.value": "a@x.io", "emails": [{"type": "work", "value": "a@x.io"}]}),
        ([{"value": "a@x.io"}],
         {'emails[type eq ""].value': "a@x.io", "emails": [{"value": "a@x.io"}]}),
        (["a@x.io"],
         {'emails[type eq ""].value': "a@x.io", "emails": [{"value": "a@x.io"}]}),
        ({"type": "work", "value": "a@x.io"},
         {f"{WORK}.value": "a@x.io", "emails": [{"type": "work", "value": "a@x.io"}]}),
        ([{"type": "work", "value": "a@x.io"}, {"type": "work", "value": "a@x.io"}],
         {f"{WORK}.value": "a@x.io", "emails": [{"type": "work", "value": "a@x.io"}]}),
        ([{"type": "work", "value": None, "primary": True}, {"type": "home"}, None, {}, ""], {}),
    ],
)  # fmt: skip
def test_elements_are_told_apart_by_their_key(emails: Any, attributes: dict[str, Any]) -> None:
    read = user({"emails": emails})
    assert read.attributes == attributes
    assert read.not_read == {}


def test_unequal_elements_with_one_key_are_not_read() -> None:
    read = user(
        {
            "emails": [
                {"type": "work", "value": "a@x.io"},
                {"type": "home", "value": "h@x.io"},
                {"type": "work", "value": "b@x.io"},
            ]
        }
    )
    assert read.at(f"{WORK}.value") is NOT_READ
    assert read.at(f"{WORK}.primary") is NOT_READ
    assert read.at(f"{HOME}.value") == "h@x.io"
    assert read.at('emails[type eq "other"].value') is ABSENT
    assert read.not_read[f"{WORK}.value"] == "2 values of type work"
    assert len(read.attributes["emails"]) == 3  # type: ignore[arg-type]


def test_several_elements_without_a_key_are_not_read() -> None:
    read = user({"emails": [{"value": "a@x.io"}, {"value": "b@x.io"}]})
    assert read.at('emails[type eq ""].value') is NOT_READ


def test_elements_without_a_value_part() -> None:
    read = user(
        {"addresses": [{"type": "work", "locality": "Leeds", "country": ""}, {"type": "home", "primary": True}]}
    )
    assert read.attributes == {
        'addresses[type eq "work"].locality': "Leeds",
        "addresses": [{"type": "work", "locality": "Leeds"}],
    }


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("+1 (317) 418-1234", "+13174181234"),
        ("tel:+1-317-418-1234", "+13174181234"),
        ("tel:+13174181234; ext=55", "+13174181234;ext=55"),
        ("9001", "9001"),
    ],
)
def test_phone_numbers_have_one_spelling(sent: str, canonical: str) -> None:
    read = user({"phoneNumbers": [{"type": "work", "value": sent}]})
    assert read.attributes['phoneNumbers[type eq "work"].value'] == canonical


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ([{"value": "Admin"}, {"value": "Agent", "primary": True}], {"Admin", "Agent"}),
        (["Admin", "Agent"], {"Admin", "Agent"}),
        ({"value": "Admin"}, {"Admin"}),
        ("Admin", {"Admin"}),
        ([{"value": "Admin", "type": "x"}, {"VALUE": "Admin"}], {"Admin"}),
        ([{"value": None}, {}, None, {"type": "x", "primary": True}], set()),
    ],
)
def test_lists_of_names(roles: Any, names: set[str]) -> None:
    read = user({"roles": roles})
    assert read.items("roles") == dict.fromkeys(names)
    assert read.not_read == {}


def test_an_element_that_names_nothing_but_says_something_is_not_read() -> None:
    assert user({"roles": [{"value": "Admin"}, {"display": "Agent"}]}).items("roles") is None
    assert group({"members": [{"value": "u1"}, {"$ref": "../Users/u2"}]}).items("members") is None


@pytest.mark.parametrize(
    ("members", "ids"),
    [
        ([{"value": "u1", "display": "Ann", "type": "User"}, {"value": "g2", "type": "Group"}], {"u1", "g2"}),
        (["u1", "u2"], {"u1", "u2"}),
        ([{"value": "u1"}, {"value": "u1"}], {"u1"}),
        ([], set()),
        (None, set()),
    ],
)
def test_members_are_read_in_every_form(members: Any, ids: set[str]) -> None:
    read = group({"displayName": "Ops", "Members": members})
    assert set(read.items("members") or ()) == ids
    assert read.name == "Ops"


@pytest.mark.parametrize("unusable", ["bulkId:user.ann", "..", "u\n1", "u" * 2000])
def test_whoever_has_no_usable_id_is_not_read(unusable: str) -> None:
    """Nor is anybody else of that list: she may be one of them."""
    assert group({"members": [{"value": "u1"}, {"value": unusable}]}).items("members") is None
    assert user({ENTERPRISE: {"manager": {"value": unusable}}}).at(f"{ENTERPRISE}:manager") is NOT_READ


def test_levels_are_numbers_and_two_for_one_name_are_not_read() -> None:
    profile = load_profile("genesys")
    skills = [{"name": "Billing", "proficiency": 4.0}, {"Name": "Refunds", "Proficiency": "3.5"}, {"name": "Chat"}]
    read = user({GENESYS: {"routingSkills": skills}}, profile)
    assert read.items("routingSkills") == {"Billing": 4, "Refunds": 3.5, "Chat": None}
    twice = [{"name": "Billing", "proficiency": 4}, {"name": "Billing", "proficiency": 5}]
    assert user({GENESYS: {"routingSkills": twice}}, profile).items("routingSkills") is None
    same = [{"name": "Billing", "proficiency": 4}, {"name": "Billing", "proficiency": 4.0}]
    assert user({GENESYS: {"routingSkills": same}}, profile).items("routingSkills") == {"Billing": 4}


def test_elements_that_the_provider_owns_are_left_out() -> None:
    read = user(
        {
            "emails": [{"type": "other", "value": "login@x.io", "primary": True}, {"type": "Work", "value": "w@x.io"}],
            GENESYS: {
                "externalIds": [
                    {"authority": "x-pc:scimv2:v1:abc", "value": "1"},
                    {"authority": "hr", "value": "2"},
                ]
            },
        },
        load_profile("genesys"),
    )
    assert read.attributes == {
        'emails[type eq "work"].value': "w@x.io",
        "emails": [{"type": "work", "value": "w@x.io"}],
        f'{GENESYS}:externalIds[authority eq "hr"].value': "2",
        f"{GENESYS}:externalIds": [{"authority": "hr", "value": "2"}],
    }


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"title": ["a", "b"]}, "title"),
        ({"title": {"value": "a"}}, "title"),
        ({"name": "Ann Lee"}, "name.givenName"),
        ({"name": {"givenName": ["Ann"]}}, "name.givenName"),
        ({"emails": [{"type": "work", "value": {"x": 1}}]}, f"{WORK}.value"),
        ({ENTERPRISE: {"manager": {"value": ["u2"]}}}, f"{ENTERPRISE}:manager"),
        ({ENTERPRISE: {"manager": ["u2"]}}, f"{ENTERPRISE}:manager"),
        ({ENTERPRISE: {"department": ["Ops"]}}, f"{ENTERPRISE}:department"),
    ],
)
def test_shapes_that_are_not_understood_are_not_read(row: dict[str, Any], path: str) -> None:
    assert user(row).at(path) is NOT_READ


def stored_less(*names: str) -> Profile:
    return Profile(name="less", title="Less", users=AttributeRules(table=USER_ATTRIBUTES, not_stored=names))


@pytest.mark.parametrize(
    ("name", "path", "readable"),
    [
        ("title", "title", "displayName"),
        ("department", f"{ENTERPRISE}:department", f"{ENTERPRISE}:division"),
        (f"{ENTERPRISE}:department", f"{ENTERPRISE}:department", f"{ENTERPRISE}:division"),
        ("emails", f"{WORK}.value", "title"),
        (f"{WORK}.primary", f"{WORK}.primary", f"{WORK}.value"),
        ("emails.primary", f"{WORK}.primary", f"{WORK}.value"),
        ("name.formatted", "name.formatted", "name.givenName"),
    ],
)
def test_what_the_server_does_not_keep_is_not_read(name: str, path: str, readable: str) -> None:
    row = {
        "title": "Lead",
        "displayName": "Ann",
        "name": {"formatted": "Ann Lee", "givenName": "Ann"},
        "emails": [{"type": "work", "value": "a@x.io", "primary": True}],
        ENTERPRISE: {"department": "Ops", "division": "Home"},
    }
    read = user(row, stored_less(name))
    assert read.at(path) is NOT_READ
    assert read.at(readable) not in (NOT_READ, ABSENT)
    assert user({}, stored_less("title")).at("title") is NOT_READ


def test_a_list_that_the_server_does_not_keep_is_not_read() -> None:
    assert user({"roles": ["Admin"]}, stored_less("roles")).items("roles") is None


@pytest.mark.parametrize(
    ("meta", "version"),
    [({"version": 'W/"1"'}, 'W/"1"'), ({"Version": "56"}, "56"), ({}, None), (None, None), ({"version": ""}, None)],
)
def test_the_version_is_kept_byte_for_byte(meta: Any, version: str | None) -> None:
    assert user({"meta": meta}).version == version


def test_no_usable_id_stops() -> None:
    with pytest.raises(IncompleteListing):
        decode_resource({"userName": "ann"}, ResourceType.USER, RFC)


def test_declared_extensions_keep_their_spelling() -> None:
    read = user({ACME.upper(): {"LEVEL": 3}}, extensions={ResourceType.USER: {ACME: ("level",)}})
    assert read.attributes == {f"{ACME}:level": 3}


def test_an_attribute_of_kind_json_is_kept_whole() -> None:
    extra = Attribute(name="badge", kind=Kind.JSON, schema=ACME)
    profile = Profile(name="p", title="P", users=AttributeRules(table=USER_ATTRIBUTES.extended([extra])))
    assert user({ACME: {"BADGE": {"a": [1.0, None]}}}, profile).attributes == {f"{ACME}:badge": {"a": [1, None]}}


# --- properties

TEXT = st.text(min_size=1, max_size=6)
ELEMENT = st.fixed_dictionaries(
    {"value": TEXT}, optional={"type": st.sampled_from(["work", "home", "other"]), "primary": st.booleans()}
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "userName": TEXT,
        "active": st.sampled_from([True, False, "True", "false"]),
        "name": st.fixed_dictionaries({}, optional={"givenName": TEXT, "familyName": TEXT}),
        "emails": st.lists(ELEMENT, max_size=4),
        "phoneNumbers": st.lists(ELEMENT, max_size=3),
        "roles": st.lists(st.fixed_dictionaries({"value": TEXT}), max_size=4),
        ENTERPRISE: st.fixed_dictionaries(
            {}, optional={"department": TEXT, "manager": st.fixed_dictionaries({"value": TEXT})}
        ),
    },
)


SPELLINGS: list[Callable[[str], str]] = [str.upper, str.lower, str.swapcase, str]


def recased(value: Any, data: st.DataObject) -> Any:
    """The same JSON with attribute names and URNs in another case."""
    if isinstance(value, dict):
        change = data.draw(st.sampled_from(SPELLINGS))
        return {change(name): recased(each, data) for name, each in value.items()}
    if isinstance(value, list):
        return [recased(each, data) for each in value]
    return value


def shuffled(value: Any, data: st.DataObject) -> Any:
    """The same JSON with every list and every object in another order."""
    if isinstance(value, dict):
        return {name: shuffled(each, data) for name, each in data.draw(st.permutations(list(value.items())))}
    if isinstance(value, list):
        return [shuffled(each, data) for each in data.draw(st.permutations(value))]
    return value


@given(ROWS, st.data())
def test_case_of_names_does_not_matter(row: dict[str, Any], data: st.DataObject) -> None:
    assert user(recased(row, data)) == user(row)


@given(ROWS, st.data())
def test_order_does_not_matter(row: dict[str, Any], data: st.DataObject) -> None:
    assert user(shuffled(row, data)) == user(row)
