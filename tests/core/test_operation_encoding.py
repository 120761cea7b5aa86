"""Changes as SCIM messages: POST bodies and PATCH operations, and an independent implementation that applies them."""

from typing import Any

import pytest
import scim2_models
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.decoding import Decoder
from reconciler.model import AttributeChange, Cause, Change, CreateResource, PatchOp, PatchResource, ResourceType
from reconciler.planning.encoding import create_body, patch_operations
from reconciler.planning.replacing import replace_value
from reconciler.profiles.profile import RFC
from reconciler.scim.attributes import CORE_USER, ENTERPRISE_USER, USER_ATTRIBUTES
from reconciler.scim.paths import element_path
from tests.core.builders import (
    BADGES,
    MANAGER,
    PROFILE,
    SKILLS,
    WORK,
    a,
    desired,
    entry,
    group,
    listed,
    live,
    live_group,
    live_user,
    reconciled,
    record,
    user,
)

PHONES, ADDRESSES = USER_ATTRIBUTES.get("phoneNumbers"), USER_ATTRIBUTES.get("addresses")
PHONE, EXTENSION = element_path(PHONES, "work", "value"), element_path(PHONES, "mobile", "value")
MAIL, MAIL_TEXT, MAIL_FIRST = (f'emails[type eq "work"].{part}' for part in ("value", "display", "primary"))
BADGE = element_path(BADGES, "gov", "value")
STREET, TOWN, FIRST = (element_path(ADDRESSES, "work", part) for part in ("streetAddress", "locality", "primary"))


def created(*resources) -> dict[str, Any]:
    outcome = reconciled(desired(*resources), live(), record())
    [operation] = [each for each in outcome.plan.operations if isinstance(each, CreateResource)]
    return dict(operation.body)


def test_the_body_of_a_user() -> None:
    body = created(
        user(
            "al",
            {
                "displayName": "Al",
                "title": None,
                "name.givenName": "Alice",
                "name.familyName": "Ng",
                MAIL: "w@x.io",
                MAIL_FIRST: True,
                PHONE: "+442079460958;ext=12",
                EXTENSION: "+447700900123",
                f"{ENTERPRISE_USER}:department": "Support",
                BADGE: "17",
                "urn:example:other:2.0:User:floor": {"level": 3},
            },
            lists={"roles": listed("b", "a"), "skills": listed("Plain", levels={"Billing": 4})},
        )
    )
    assert body == {
        "schemas": [CORE_USER, ENTERPRISE_USER, WORK, "urn:example:other:2.0:User"],
        "userName": "al@x.io",
        "displayName": "Al",
        "active": True,
        "name": {"givenName": "Alice", "familyName": "Ng"},
        "emails": [{"type": "work", "value": "w@x.io", "primary": True}],
        "phoneNumbers": [
            {"type": "mobile", "value": "+447700900123"},
            {"type": "work", "value": "tel:+442079460958;ext=12"},
        ],
        "roles": [{"value": "a"}, {"value": "b"}],
        ENTERPRISE_USER: {"department": "Support"},
        WORK: {
            "skills": [{"name": "Billing", "level": 4}, {"name": "Plain"}],
            "badges": [{"authority": "gov", "value": "17"}],
        },
        "urn:example:other:2.0:User": {"floor": {"level": 3}},
    }


def test_a_manager_to_come_stands_in_the_body_by_the_id_to_come() -> None:
    outcome = reconciled(desired(user("al", {MANAGER: a("user.bo")}), user("bo")), live(), record())
    assert [str(each.address) for each in outcome.plan.operations] == ["user.bo", "user.al"]
    assert outcome.plan.operations[1].body[ENTERPRISE_USER] == {"manager": {"value": "bulkId:user.bo"}}


def test_a_group_is_created_empty() -> None:
    outcome = reconciled(
        desired(user("al"), group("g", listed(a("user.al")), attributes={"externalId": "7"})),
        live(live_user("al")),
        record(),
    )
    create, patch = outcome.plan.operations
    assert create.body == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "g",
        "externalId": "7",
    }
    assert patch.operations[0].value == [{"value": "al"}]


def patches(wanted, held, lists=None, **more):
    """The PATCH operations, as (op, path, value), that bring a user with `held` to what is `wanted`."""
    outcome = reconciled(
        desired(user("al", wanted, lists=lists)),
        live(live_user("al", attributes=held, **more)),
        record(entry("user.al", "al")),
    )
    assert len(outcome.plan.operations) <= 1
    return [
        (str(each.op), each.path, each.value) for operation in outcome.plan.operations for each in operation.operations
    ]


ELEMENT = 'emails[type eq "work"]'
FLOOR = "urn:x:y:floor"

SINGLE = {
    "scalar added": ({"title": "v"}, {}, [("add", "title", "v")]),
    "scalar replaced": ({"title": "v"}, {"title": "w"}, [("replace", "title", "v")]),
    "scalar cleared": ({"title": None}, {"title": "w"}, [("remove", "title", None)]),
    "part added": ({"name.givenName": "v"}, {"name.familyName": "w"}, [("add", "name.givenName", "v")]),
    "part cleared": ({"name.givenName": None}, {"name.givenName": "w"}, [("remove", "name.givenName", None)]),
    "element added": ({MAIL: "v"}, {}, [("add", "emails", [{"type": "work", "value": "v"}])]),
    "element added with its parts, once": (
        {MAIL: "v", MAIL_TEXT: "V", MAIL_FIRST: True},
        {},
        [("add", "emails", [{"type": "work", "display": "V", "primary": True, "value": "v"}])],
    ),
    "element replaced": ({MAIL: "v"}, {MAIL: "w", MAIL_FIRST: False}, [("replace", MAIL, "v")]),
    "one part replaced, one cleared": (
        {MAIL: "v", MAIL_TEXT: None},
        {MAIL: "w", MAIL_TEXT: "W"},
        [("replace", MAIL, "v"), ("remove", MAIL_TEXT, None)],
    ),
    "primary": ({MAIL_FIRST: True}, {MAIL: "w", MAIL_FIRST: False}, [("replace", MAIL_FIRST, True)]),
    "element cleared": ({MAIL: None}, {MAIL: "w", MAIL_FIRST: False}, [("remove", ELEMENT, None)]),
    "element cleared with a part nobody declares": (
        {MAIL: None},
        {MAIL: "w", MAIL_TEXT: "W"},
        [("remove", ELEMENT, None)],
    ),
    "all elements cleared": ({"emails": None}, {"emails": [{"type": "work"}]}, [("remove", "emails", None)]),
    "phones": (
        {PHONE: "+441", EXTENSION: "+442;ext=9"},
        {PHONE: "+440"},
        [("add", "phoneNumbers", [{"type": "mobile", "value": "tel:+442;ext=9"}]), ("replace", PHONE, "+441")],
    ),
    "two elements are added together": (
        {PHONE: "+441", EXTENSION: "+442"},
        {},
        [("add", "phoneNumbers", [{"type": "mobile", "value": "+442"}, {"type": "work", "value": "+441"}])],
    ),
    "what is set comes before what is removed": (
        {STREET: "1 High St", TOWN: None},
        {TOWN: "Ely", FIRST: False},
        [("add", STREET, "1 High St"), ("remove", TOWN, None)],
    ),
    "an element of which nothing is left": (
        {TOWN: None, STREET: None},
        {TOWN: "Ely", STREET: "1 High St", FIRST: False},
        [("remove", 'addresses[type eq "work"]', None)],
    ),
    "only primary goes": ({FIRST: None}, {TOWN: "Ely", FIRST: True}, [("replace", FIRST, False)]),
    "another key": ({BADGE: "v"}, {}, [("add", f"{WORK}:badges", [{"authority": "gov", "value": "v"}])]),
    "extension": ({f"{ENTERPRISE_USER}:department": "v"}, {}, [("add", f"{ENTERPRISE_USER}:department", "v")]),
    "undescribed": ({FLOOR: [1]}, {FLOOR: [2]}, [("replace", FLOOR, [1])]),
    "undescribed cleared": ({FLOOR: None}, {FLOOR: [2]}, [("remove", FLOOR, None)]),
    "manager cleared": ({MANAGER: None}, {MANAGER: "bo"}, [("remove", MANAGER, None)]),
}


@pytest.mark.parametrize(("wanted", "held", "expected"), SINGLE.values(), ids=SINGLE.keys())
def test_the_operations_of_single_values(wanted, held, expected) -> None:
    assert patches(wanted, held) == expected


def test_a_manager_is_sent_as_an_object_with_a_value() -> None:
    outcome = reconciled(
        desired(user("al", {MANAGER: a("user.bo")}), user("bo")), live(live_user("al"), live_user("bo")), record()
    )
    assert [(str(each.op), each.path, each.value) for each in outcome.plan.operations[0].operations] == [
        ("add", MANAGER, {"value": "bo"})
    ]


def test_names_are_added_together_and_removed_one_by_one() -> None:
    wanted = listed("c", "b", "a")
    assert patches({}, {}, {"roles": wanted}, roles=["a", "x", "y"]) == [
        ("add", "roles", [{"value": "b"}, {"value": "c"}]),
        ("remove", 'roles[value eq "x"]', None),
        ("remove", 'roles[value eq "y"]', None),
    ]
    odd = patches({}, {}, {"roles": listed()}, roles=['say "hi"\\'])
    assert odd == [("remove", 'roles[value eq "say \\"hi\\"\\\\"]', None)]


def test_skills_carry_their_level() -> None:
    wanted = listed("Plain", levels={"Billing": 4, "Refunds": 2})
    assert patches({}, {}, {"skills": wanted}, skills={"Refunds": 3, "Old": 1}) == [
        ("add", f"{WORK}:skills", [{"name": "Billing", "level": 4}]),
        ("remove", f'{WORK}:skills[name eq "Old"]', None),
        ("add", f"{WORK}:skills", [{"name": "Plain"}]),
        ("replace", f'{WORK}:skills[name eq "Refunds"].level', 2),
    ]


def test_members_are_changed_by_delta() -> None:
    people = [live_user(each) for each in ("al", "bo", "cy")]
    wanted = desired(*(user(each.id) for each in people), group("g", listed(a("user.al"), a("user.bo"))))
    known = record(entry("group.g", "g"), *(entry(f"user.{each.id}", each.id) for each in people))
    outcome = reconciled(wanted, live(*people, live_group("g", "g", ["cy"])), known)
    assert [[(str(each.op), each.path, each.value) for each in op.operations] for op in outcome.plan.operations] == [
        [("remove", 'members[value eq "cy"]', None)],
        [("add", "members", [{"value": "al"}, {"value": "bo"}])],
    ]


def test_versions_guard_what_is_replaced_and_not_what_commutes() -> None:
    wanted = desired(user("al", {"title": "v"}), group("g", listed(a("user.al")), attributes={"externalId": "7"}))
    outcome = reconciled(wanted, live(live_user("al"), live_group("g")), record())
    versions = {
        each.operations[0].path: each.version for each in outcome.plan.operations if isinstance(each, PatchResource)
    }
    assert versions == {"title": 'W/"al"', "externalId": 'W/"g"', "members": None}


def test_a_reference_that_was_not_resolved_is_an_error_of_ours() -> None:
    change = AttributeChange(path="title", op=PatchOp.ADD, cause=Cause.DECLARED, after=a("user.bo"))
    with pytest.raises(TypeError, match=r"user\.bo"):
        patch_operations([change], None, PROFILE.users)


def test_a_body_without_changes_is_an_active_user() -> None:
    empty = Change(address=a("user.al"), actions=(), cause=Cause.DECLARED, label="al")
    assert create_body(empty, PROFILE) == {"schemas": [CORE_USER], "active": True}
    assert SKILLS.path == f"{WORK}:skills"


# --- an independent implementation applies what we send

texts = st.sampled_from(["u", "v", 'q"\\q', "é"])
mails = st.sampled_from(["u@x.io", "v@x.io"])
PATHS = {
    "displayName": texts,
    "title": texts,
    "name.givenName": texts,
    "name.familyName": texts,
    MAIL: mails,
    'emails[type eq "home"].value': mails,
    PHONE: st.sampled_from(["+442079460958", "+442079460958;ext=12"]),
    STREET: texts,
    TOWN: texts,
    f"{ENTERPRISE_USER}:department": texts,
    MANAGER: st.sampled_from(["m1", "m2"]),
}
states = st.fixed_dictionaries({}, optional=PATHS)
wishes = st.fixed_dictionaries({}, optional={path: values | st.none() for path, values in PATHS.items()})
names = st.sets(st.sampled_from(["r1", "r2", 'r"3']))
User = scim2_models.User[scim2_models.EnterpriseUser]
Patch = scim2_models.PatchOp[User]
DECODER = Decoder(ResourceType.USER, RFC)


def document(held: dict[str, Any], roles: set[str]) -> dict[str, Any]:
    """A user as a service provider stores it, by the body that we would create it with."""
    changes = [
        AttributeChange(path=path, op=PatchOp.ADD, cause=Cause.DECLARED, after=value) for path, value in held.items()
    ]
    changes += [
        AttributeChange(path="roles", op=PatchOp.ADD, cause=Cause.DECLARED, item=each) for each in sorted(roles)
    ]
    whole = Change(address=a("user.al"), actions=(), cause=Cause.DECLARED, label="al", attribute_changes=tuple(changes))
    return {**create_body(whole, RFC), "userName": "al@x.io", "id": "al"}


@settings(max_examples=60, deadline=None)
@given(held=states, roles=names, wanted=wishes, wanted_roles=names | st.none())
def test_scim2_models_brings_about_what_is_declared(held, roles, wanted, wanted_roles) -> None:
    before = document(held, roles)
    lists = {} if wanted_roles is None else {"roles": listed(*sorted(wanted_roles))}
    state = live(DECODER.decode(before))
    outcome = reconciled(desired(user("al", wanted, lists=lists)), state, record(entry("user.al", "al")), profile=RFC)
    resource = User.model_validate(before)
    for operation in outcome.plan.operations:
        sent = [{"op": str(each.op), "path": each.path, "value": each.value} for each in operation.operations]
        Patch.model_validate({"Operations": sent}).patch(resource)
    after = DECODER.decode(resource.model_dump())
    assert {path: after.attributes.get(path) for path in wanted} == wanted
    untouched = {path for path in held if path not in wanted}
    assert {path: after.attributes.get(path) for path in untouched} == {path: held[path] for path in untouched}
    assert set(after.lists.get("roles", {})) == (roles if wanted_roles is None else wanted_roles)
    assert (
        reconciled(desired(user("al", wanted, lists=lists)), live(after), record(), profile=RFC).plan.operations == ()
    )


def test_clearing_all_elements_leaves_those_that_the_provider_owns() -> None:
    rules = replace(PROFILE.users, read_only_elements={"emails": ("other",)})
    held = [{"type": "work", "value": "w"}, {"type": "home", "value": "h"}]
    change = AttributeChange(path="emails", op=PatchOp.REMOVE, cause=Cause.DECLARED, before=held)
    assert [each.path for each in patch_operations([change], None, rules)] == [
        'emails[type eq "work"]',
        'emails[type eq "home"]',
    ]


# --- values of undescribed attributes

WHOLE = [("remove", "p", None), ("add", "p", {"b": 1})]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1], [2], [("replace", "p", [2])]),
        ("x", {"b": 1}, [("replace", "p", {"b": 1})]),
        ({"a": 1}, {"a": 2}, [("replace", "p.a", 2)]),
        ({"a": 1, "b": 1}, {"b": 1, "c": 3}, [("add", "p.c", 3), ("remove", "p.a", None)]),
        ({"a": 1}, {"b": 1}, WHOLE),
        ({"b": 1, "no path": 2}, {"b": 1}, WHOLE),
        ({"a": {"x": 1}}, {"a": {"y": 1}}, [("remove", "p.a", None), ("add", "p.a", {"y": 1})]),
        ({"a": {"x": 1}, "b": 1}, {"a": {"x": 1}, "b": 2}, [("replace", "p.b", 2)]),
    ],
)
def test_one_undescribed_value_becomes_another_member_by_member(before, after, expected) -> None:
    assert [(str(each.op), each.path, each.value) for each in replace_value("p", before, after)] == expected
