"""What a PUT sends: the resource as it was read, with the operations of a PATCH carried out on it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying.replacing import carried_out
from reconciler.model import PatchOp, PatchOperation
from reconciler.scim.attributes import CORE_USER, ENTERPRISE_USER, USER_ATTRIBUTES
from reconciler.scim.paths import element_path, item_path

ADD, REMOVE, REPLACE = PatchOp.ADD, PatchOp.REMOVE, PatchOp.REPLACE
URN = "urn:example:Badge:1.0"


def op(verb: PatchOp, path: str, value: Any = None) -> PatchOperation:
    return PatchOperation(op=verb, path=path, value=value)


def after(resource: dict[str, Any], *operations: PatchOperation) -> dict[str, Any]:
    return carried_out({"schemas": [CORE_USER], "id": "1", **resource}, operations)


WORK = {"type": "work", "value": "a@x.io", "primary": True}
HOME = {"type": "home", "value": "b@x.io"}


@pytest.mark.parametrize(
    ("before", "operations", "expected"),
    [
        ({}, [op(ADD, "title", "Lead")], {"title": "Lead"}),
        ({"title": "A"}, [op(REPLACE, "title", "B")], {"title": "B"}),
        ({"Title": "A"}, [op(REPLACE, "title", "B")], {"Title": "B"}),
        ({"title": "A", "nickName": "N"}, [op(REMOVE, "title")], {"nickName": "N"}),
        ({}, [op(REMOVE, "title")], {}),
        ({"name": {"givenName": "A", "middleName": "M"}}, [op(REPLACE, "name.givenName", "B")],
         {"name": {"givenName": "B", "middleName": "M"}}),
        ({}, [op(ADD, "name.givenName", "B")], {"name": {"givenName": "B"}}),
        ({"name": {"givenName": "A"}}, [op(REMOVE, "name.givenName")], {}),
        ({"emails": [WORK]}, [op(ADD, "emails", [HOME])], {"emails": [WORK, HOME]}),
        ({"emails": [WORK]}, [op(ADD, "emails", [{**HOME, "primary": True}])],
         {"emails": [{"type": "work", "value": "a@x.io"}, {**HOME, "primary": True}]}),
        ({"emails": [WORK, HOME]}, [op(REPLACE, 'emails[type eq "home"].value', "c@x.io")],
         {"emails": [WORK, {"type": "home", "value": "c@x.io"}]}),
        ({"emails": [WORK, HOME]}, [op(ADD, 'emails[type eq "home"].primary', True)],
         {"emails": [{"type": "work", "value": "a@x.io"}, {**HOME, "primary": True}]}),
        ({"emails": [WORK, HOME]}, [op(REMOVE, 'emails[type eq "work"]')], {"emails": [HOME]}),
        ({"emails": [WORK]}, [op(REMOVE, 'emails[type eq "work"]')], {}),
        ({"emails": [{"type": "Work", "value": "a"}]}, [op(REPLACE, 'emails[type eq "work"].value', "b")],
         {"emails": [{"type": "Work", "value": "b"}]}),
        ({"emails": [WORK]}, [op(REPLACE, 'emails[type eq "home"].value', "c@x.io")],
         {"emails": [WORK, {"type": "home", "value": "c@x.io"}]}),
        ({"emails": [WORK]}, [op(REMOVE, 'emails[type eq "home"].value')], {"emails": [WORK]}),
        ({"emails": [WORK, HOME]}, [op(REMOVE, "emails")], {}),
        ({"roles": [{"value": "a"}, {"value": "A"}]}, [op(REMOVE, 'roles[value eq "a"]')], {"roles": [{"value": "A"}]}),
        ({"roles": [{"value": "a"}]}, [op(ADD, "roles", [{"value": "a"}, {"value": "b"}])],
         {"roles": [{"value": "a"}, {"value": "b"}]}),
        ({"groups": [{"value": "g"}], "meta": {"version": "1"}}, [op(ADD, "title", "x")], {"title": "x"}),
    ],
)  # fmt: skip
def test_the_core(before: dict[str, Any], operations: list[PatchOperation], expected: dict[str, Any]) -> None:
    assert after(before, *operations) == {"schemas": [CORE_USER], "id": "1", **expected}


def test_an_extension_comes_and_goes_with_what_it_holds() -> None:
    manager = f"{ENTERPRISE_USER}:manager"
    set_ = after({}, op(ADD, manager, {"value": "7"}), op(ADD, f"{ENTERPRISE_USER}:department", "Care"))
    assert set_["schemas"] == [CORE_USER, ENTERPRISE_USER]
    assert set_[ENTERPRISE_USER] == {"manager": {"value": "7"}, "department": "Care"}
    left = carried_out(set_, [op(REMOVE, manager)])
    assert left[ENTERPRISE_USER] == {"department": "Care"}
    gone = carried_out(left, [op(REMOVE, f"{ENTERPRISE_USER}:department")])
    assert gone == {"schemas": [CORE_USER], "id": "1"}


def test_an_undescribed_extension_is_changed_member_by_member() -> None:
    before = {URN: {"card": {"colour": "red", "number": 7}}}
    changed = after(before, op(REPLACE, f"{URN}:card.colour", "blue"), op(REMOVE, f"{URN}:card.number"))
    assert changed[URN] == {"card": {"colour": "blue"}}
    assert before == {URN: {"card": {"colour": "red", "number": 7}}}, "what was read is not touched"


@given(st.text())
def test_any_key_finds_its_element_and_no_other(key: str) -> None:
    emails, roles = USER_ATTRIBUTES.get("emails"), USER_ATTRIBUTES.get("roles")
    assert emails is not None
    assert roles is not None
    other = {"type": key + "x", "value": "kept"}
    before = {"emails": [{"type": key, "value": "a"}, other], "roles": [{"value": key}, {"value": key + "x"}]}
    changed = after(before, op(REPLACE, element_path(emails, key, "value"), "b"), op(REMOVE, item_path(roles, key)))
    assert changed["emails"] == [{"type": key, "value": "b"}, other]
    assert changed["roles"] == [{"value": key + "x"}]


def test_a_path_that_we_never_write_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="not a path of ours"):
        after({}, op(REMOVE, 'emails[type ne "work"]'))
