"""PATCH: RFC 7644 section 3.5.2 row by row, and scim2-models as a second opinion on random patches."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
import scim2_models
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.organisation import organisation
from reconciler.sandbox.patching import apply_patch

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER_TYPE = organisation("rfc").resource_type("User")

WORK = {"type": "work", "value": "b@work.example", "primary": True}
HOME = {"type": "home", "value": "b@home.example"}
BEFORE: dict[str, Any] = {
    "userName": "babs",
    "displayName": "Babs",
    "name": {"givenName": "Barbara", "familyName": "Jensen"},
    "emails": [WORK, HOME],
    ENT: {"department": "Tours", "manager": {"value": "m1"}},
}


def add(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "add", "value": value} | ({} if path is None else {"path": path})


def replace(path: str | None, value: Any) -> dict[str, Any]:
    return add(path, value) | {"op": "replace"}


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def patched(*operations: dict[str, Any], before: dict[str, Any] = BEFORE) -> dict[str, Any]:
    kept = copy.deepcopy(before)
    after = apply_patch(before, {"schemas": [PATCH_OP], "Operations": list(operations)}, USER_TYPE)
    assert before == kept, "the document that came in must stay as it was"
    return after


def but(**changes: Any) -> dict[str, Any]:
    """Return BEFORE with some attributes set, or taken out where None."""
    return {key: value for key, value in {**BEFORE, **changes}.items() if value is not None}


OTHER = {"type": "other", "value": "o@x.example"}
DONE: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    # 3.5.2.1 add
    "add a single value": ([add("title", "Lead")], but(title="Lead")),
    "add over a value replaces it": ([add("displayName", "B")], but(displayName="B")),
    "add a sub-attribute": (
        [add("name.middleName", "Jane")],
        but(name={"givenName": "Barbara", "familyName": "Jensen", "middleName": "Jane"}),
    ),
    "add to a complex value merges": (
        [add("name", {"givenName": "Bo", "middleName": "J"})],
        but(name={"givenName": "Bo", "familyName": "Jensen", "middleName": "J"}),
    ),
    "add appends to a list": ([add("emails", [OTHER])], but(emails=[WORK, HOME, OTHER])),
    "add takes a single value for a list": ([add("emails", OTHER)], but(emails=[WORK, HOME, OTHER])),
    "add what is there changes nothing": ([add("emails", [HOME]), add("displayName", "Babs")], BEFORE),
    "add twice in one list adds once": ([add("emails", [OTHER, OTHER])], but(emails=[WORK, HOME, OTHER])),
    "add without path": (
        [add(None, {"title": "Lead", "name": {"middleName": "J"}, "emails": [OTHER]})],
        but(
            title="Lead",
            name={"givenName": "Barbara", "familyName": "Jensen", "middleName": "J"},
            emails=[WORK, HOME, OTHER],
        ),
    ),
    "add without path, extension as object": (
        [add(None, {ENT: {"costCenter": "7"}, "schemas": [USER, ENT]})],
        but(**{ENT: {"department": "Tours", "manager": {"value": "m1"}, "costCenter": "7"}}),
    ),
    "add without path, keys as paths": (
        [add(None, {"name.givenName": "Bo", f"{ENT}:costCenter": "7"})],
        but(
            name={"givenName": "Bo", "familyName": "Jensen"},
            **{ENT: {"department": "Tours", "manager": {"value": "m1"}, "costCenter": "7"}},
        ),
    ),
    "add a primary value takes the mark from the others": (
        [add("emails", [{**OTHER, "primary": True}])],
        but(emails=[{**WORK, "primary": False}, HOME, {**OTHER, "primary": True}]),
    ),
    "add into a chosen value merges": (
        [add('emails[type eq "home"]', {"display": "H"})],
        but(emails=[WORK, {**HOME, "display": "H"}]),
    ),
    "add of nothing to a list changes nothing": ([add("emails", [])], BEFORE),
    # 3.5.2.2 remove
    "remove an attribute": ([remove("displayName")], but(displayName=None)),
    "remove a sub-attribute": ([remove("name.givenName")], but(name={"familyName": "Jensen"})),
    "remove the last sub-attributes": ([remove("name.givenName"), remove("name.familyName")], but(name=None)),
    "remove a whole list": ([remove("emails")], but(emails=None)),
    "remove chosen values": ([remove('emails[type eq "work" and value ew "work.example"]')], but(emails=[HOME])),
    "remove all values by choice": ([remove("emails[value pr]")], but(emails=None)),
    "remove a sub-attribute of chosen values": (
        [remove('emails[type eq "work"].primary')],
        but(emails=[{"type": "work", "value": "b@work.example"}, HOME]),
    ),
    "remove what is not there changes nothing": ([remove("title"), remove("name.middleName")], BEFORE),
    "remove pays no heed to a value": ([remove("emails") | {"value": [HOME]}], but(emails=None)),
    "remove a link by its id": ([remove(f"{ENT}:manager.value")], but(**{ENT: {"department": "Tours"}})),
    "remove an extension attribute": (
        [remove(f"{ENT}:department")],
        but(**{ENT: {"manager": {"value": "m1"}}}),
    ),
    "remove the last of an extension": ([remove(f"{ENT}:department"), remove(f"{ENT}:manager")], but(**{ENT: None})),
    "write an extension as a whole": (
        [
            replace(ENT, {"costCenter": "7", "department": None, "manager": {"value": "m2"}}),
            add(ENT, {"division": "D"}),
        ],
        but(**{ENT: {"costCenter": "7", "manager": {"value": "m2"}, "division": "D"}}),
    ),
    "replace an extension by null clears it": ([replace(ENT, None)], but(**{ENT: None})),
    "replace a chosen value by null takes it out": ([replace('emails[type eq "work"]', None)], but(emails=[HOME])),
    "remove an extension": ([remove(ENT)], but(**{ENT: None})),
    # 3.5.2.3 replace
    "replace a single value": ([replace("displayName", "B")], but(displayName="B")),
    "replace what is not there adds it": ([replace("title", "Lead")], but(title="Lead")),
    "replace a complex value keeps what is not named": (
        [replace("name", {"familyName": "Li"})],
        but(name={"givenName": "Barbara", "familyName": "Li"}),
    ),
    "replace a whole list": ([replace("emails", [OTHER])], but(emails=[OTHER])),
    "replace by an empty list clears": ([replace("emails", [])], but(emails=None)),
    "replace by null clears": ([replace("displayName", None), replace("name", None)], but(displayName=None, name=None)),
    "replace a sub-attribute by null clears it": (
        [replace("name", {"givenName": None})],
        but(name={"familyName": "Jensen"}),
    ),
    "replace chosen values as a whole": (
        [replace('emails[type eq "work"]', {"value": "n@x.example", "type": "work"})],
        but(emails=[{"value": "n@x.example", "type": "work"}, HOME]),
    ),
    "replace a sub-attribute of chosen values": (
        [replace('emails[type eq "work"].value', "n@x.example")],
        but(emails=[{**WORK, "value": "n@x.example"}, HOME]),
    ),
    "replace a sub-attribute in all values": (
        [replace("emails.display", "E")],
        but(emails=[{**WORK, "display": "E"}, {**HOME, "display": "E"}]),
    ),
    "replace primary of chosen values takes the mark from the others": (
        [replace('emails[type eq "home"].primary', True)],
        but(emails=[{**WORK, "primary": False}, {**HOME, "primary": True}]),
    ),
    "marking the primary value again moves nothing": ([replace('emails[type eq "work"].primary', True)], BEFORE),
    "replace without path": (
        [replace(None, {"displayName": "B", "emails": [OTHER], "name": {"familyName": "Li"}})],
        but(displayName="B", emails=[OTHER], name={"givenName": "Barbara", "familyName": "Li"}),
    ),
    "replace an extension attribute by its URN": (
        [replace(f"{ENT}:department", "Sales")],
        but(**{ENT: {"department": "Sales", "manager": {"value": "m1"}}}),
    ),
    "replace a link's sub-attribute by its URN": (
        [replace(f"{ENT}:manager.value", "m2")],
        but(**{ENT: {"department": "Tours", "manager": {"value": "m2"}}}),
    ),
    "replace a link by reference": (
        [replace(f"{ENT}:manager", {"$ref": "https://h/scim/v2/Users/m3"})],
        but(**{ENT: {"department": "Tours", "manager": {"value": "m3"}}}),
    ),
    "replace a core attribute by its URN": (
        [replace(f"{USER}:name.familyName", "Li")],
        but(name={"givenName": "Barbara", "familyName": "Li"}),
    ),
    # names and operators
    "operators and names in any case": (
        [
            {"OP": "Replace", "Path": "DISPLAYNAME", "Value": "B"},
            {"op": "ADD", "path": "Name.MiddleName", "value": "J"},
        ],
        but(displayName="B", name={"givenName": "Barbara", "familyName": "Jensen", "middleName": "J"}),
    ),
    "sub-attribute names come out in the schema's spelling": (
        [add("emails", [{"TYPE": "other", "Value": "o@x.example"}])],
        but(emails=[WORK, HOME, OTHER]),
    ),
    "read-only sub-attributes are ignored": (
        [replace(f"{ENT}:manager", {"value": "m2", "displayName": "M"})],
        but(**{ENT: {"department": "Tours", "manager": {"value": "m2"}}}),
    ),
    "operations follow one another": (
        [add("title", "A"), replace("title", "B"), remove("title"), add("nickName", "N")],
        but(nickName="N"),
    ),
    "brackets inside a quoted operand": (
        [add("emails", [{"value": "a]b[c", "type": 'x"]'}]), remove('emails[value eq "a]b[c" and type eq "x\\"]"]')],
        BEFORE,
    ),
}

REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "remove without path": ([{"op": "remove"}], "noTarget"),
    "remove where the filter matches nothing": ([remove('emails[type eq "fax"]')], "noTarget"),
    "replace where the filter matches nothing": ([replace('emails[type eq "fax"].value', "x")], "noTarget"),
    "add where the filter matches nothing": ([add('emails[type eq "fax"].value', "x")], "noTarget"),
    "sub-attribute of an empty list": ([replace("photos.display", "x")], "noTarget"),
    "unknown attribute": ([replace("unknown", "x")], "invalidPath"),
    "unknown sub-attribute": ([replace("name.unknown", "x")], "invalidPath"),
    "unknown extension": ([replace("urn:example:2.0:User:x", "x")], "invalidPath"),
    "dot after the URN": ([replace(f"{ENT}.department", "x")], "invalidPath"),
    "empty path": ([replace(" ", "x")], "invalidPath"),
    "path that is no text": ([replace(5, "x")], "invalidPath"),  # type: ignore[arg-type]
    "filter on a single value": ([replace('displayName[value eq "x"]', "x")], "invalidPath"),
    "filter without end": ([remove('emails[type eq "work"')], "invalidPath"),
    "filter that is none": ([remove("emails[work]")], "invalidFilter"),
    "filter on an unknown sub-attribute": ([remove('emails[kind eq "work"]')], "invalidFilter"),
    "read-only attribute": ([replace("groups", [])], "mutability"),
    "read-only common attribute": ([replace("id", "x")], "mutability"),
    "read-only meta": ([replace("meta.version", "x")], "mutability"),
    "read-only without path": ([replace(None, {"id": "x"})], "mutability"),
    "schemas by path": ([add("schemas", [ENT])], "mutability"),
    "required attribute removed": ([remove("userName")], "mutability"),
    "required attribute cleared": ([replace("userName", None)], "mutability"),
    "read-only sub-attribute by path": ([replace(f"{ENT}:manager.displayName", "M")], "mutability"),
    "wrong type": ([replace("active", "true")], "invalidValue"),
    "wrong type in a list": ([add("emails", ["x@y.example"])], "invalidValue"),
    "text for a complex value": ([replace("name", "Babs")], "invalidValue"),
    "no value": ([{"op": "add", "path": "title"}], "invalidValue"),
    "null to add": ([add("title", None)], "invalidValue"),
    "two primary values": ([add("emails", [OTHER | {"primary": True}, HOME | {"primary": True}])], "invalidValue"),
    "two primary values by choice": (
        [remove("emails.primary"), replace("emails[value pr].primary", True)],
        "invalidValue",
    ),
    "link without id": ([replace(f"{ENT}:manager", {"value": ""})], "invalidValue"),
    "no object without path": ([add(None, "x")], "invalidValue"),
    "unknown operator": ([{"op": "move", "path": "title", "value": "x"}], "invalidSyntax"),
    "no operator": ([{"path": "title", "value": "x"}], "invalidSyntax"),
    "unknown member of an operation": ([add("title", "x") | {"from": "y"}], "invalidSyntax"),
    "unknown sub-attribute in a value": ([add("name", {"unknown": "x"})], "invalidSyntax"),
    "text for an extension": ([add(ENT, "x")], "invalidValue"),
    "unknown attribute of an extension": ([add(ENT, {"floor": "3"})], "invalidSyntax"),
    "unknown sub-attribute of chosen values": ([replace('emails[type eq "work"].kind', "x")], "invalidPath"),
    "text for a chosen complex value": ([add('emails[type eq "work"]', "x")], "invalidValue"),
    "unknown attribute without path": ([add(None, {"unknown": "x"})], "invalidSyntax"),
    "the second of two": ([add("title", "x"), replace("unknown", "x")], "invalidPath"),
}


@pytest.mark.parametrize("name", DONE)
def test_what_a_patch_makes(name: str) -> None:
    operations, expected = DONE[name]
    assert patched(*operations) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_patch_may_not_do(name: str) -> None:
    operations, scim_type = REFUSED[name]
    with pytest.raises(ScimError) as caught:
        patched(*operations)
    assert (caught.value.status, caught.value.scim_type) == (400, scim_type)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"Operations": [add("title", "x")]},
        {"schemas": [USER], "Operations": [add("title", "x")]},
        {"schemas": [PATCH_OP]},
        {"schemas": [PATCH_OP], "Operations": []},
        {"schemas": [PATCH_OP], "Operations": {}},
        {"schemas": [PATCH_OP], "Operations": ["add"]},
        {"schemas": [PATCH_OP], "Operations": [{"op": "add", "OP": "add", "path": "title", "value": "x"}]},
    ],
)
def test_malformed_bodies_are_refused(body: Any) -> None:
    with pytest.raises(ScimError) as caught:
        apply_patch(BEFORE, body, USER_TYPE)
    assert caught.value.scim_type == "invalidSyntax"


# --- members, over the whole service -------------------------------------------------------------------------------


@pytest.fixture
def members(client: httpx.Client) -> tuple[str, list[str]]:
    """A group of two people, and the ids of three."""
    sent = [{"schemas": [USER], "userName": name} for name in ("ann", "bob", "cleo")]
    ids = [client.post("/Users", json=body).json()["id"] for body in sent]
    body = {"schemas": [GROUP], "displayName": "G", "members": [{"value": it} for it in ids[:2]]}
    return client.post("/Groups", json=body).json()["id"], ids


def change(client: httpx.Client, group: str, *operations: dict[str, Any]) -> tuple[int, list[str], str]:
    """Patch a group; return status, member ids afterwards, and version."""
    answer = client.patch(f"/Groups/{group}", json={"schemas": [PATCH_OP], "Operations": list(operations)})
    now = client.get(f"/Groups/{group}").json()
    if answer.status_code == 200:
        assert answer.json() == now
    return answer.status_code, [it["value"] for it in now.get("members", [])], now["meta"]["version"]


def test_members_change_by_delta(client: httpx.Client, members: tuple[str, list[str]]) -> None:
    group, (ann, bob, cleo) = members
    assert change(client, group, add("members", [{"value": cleo}])) == (200, [ann, bob, cleo], 'W/"2"')
    assert change(client, group, add("members", [{"value": ann}, {"value": cleo}])) == (200, [ann, bob, cleo], 'W/"2"')
    assert change(client, group, remove(f'members[value eq "{bob}"]')) == (200, [ann, cleo], 'W/"3"')
    assert change(client, group, remove(f'members[value eq "{bob}"]')) == (400, [ann, cleo], 'W/"3"')
    both = [remove(f'members[value eq "{ann}"]'), add("members", [{"value": bob}])]
    assert change(client, group, *both) == (200, [cleo, bob], 'W/"4"')
    assert change(client, group, replace("members", [{"value": bob, "type": "User"}])) == (200, [bob], 'W/"5"')
    assert change(client, group, remove("members")) == (200, [], 'W/"6"')


def test_a_bad_operation_undoes_the_good_ones_before_it(client: httpx.Client, members: tuple[str, list[str]]) -> None:
    group, (ann, bob, cleo) = members
    operations = [add("members", [{"value": cleo}]), remove('members[value eq "nobody"]')]
    assert change(client, group, *operations) == (400, [ann, bob], 'W/"1"')


def test_a_group_cannot_hold_itself_nor_can_a_member_become_another(
    client: httpx.Client, members: tuple[str, list[str]]
) -> None:
    group, (ann, bob, cleo) = members
    status, now, _ = change(client, group, add("members", [{"value": group}]))
    assert (status, now) == (400, [ann, bob])
    status, now, _ = change(client, group, replace(f'members[value eq "{ann}"].value', cleo))
    assert (status, now) == (400, [ann, bob])
    status, now, _ = change(client, group, replace(f'members[value eq "{ann}"]', {"value": cleo}))
    assert (status, now) == (400, [ann, bob])
    assert change(client, group, replace(f'members[value eq "{ann}"]', {"value": ann}))[0] == 200


# --- a second opinion ----------------------------------------------------------------------------------------------

texts = st.sampled_from(["A", "b", "ç", ""])
kinds = st.sampled_from(["work", "home", "other"])
emails = st.fixed_dictionaries(
    {"value": st.sampled_from(["a@x.example", "b@x.example"]), "type": kinds}, optional={"primary": st.booleans()}
)
email_lists = st.lists(emails, min_size=1, max_size=3, unique_by=lambda it: (it["type"], it["value"]))
filters = st.one_of(
    kinds.map(lambda kind: f'type eq "{kind}"'),
    kinds.map(lambda kind: f'not (type eq "{kind}")'),
    st.sampled_from(["primary eq true", 'value sw "A"', 'value pr and type eq "work"']),
)
names = st.dictionaries(st.sampled_from(["givenName", "familyName"]), texts, min_size=1)
extensions = st.dictionaries(st.sampled_from(["department", "costCenter"]), texts, min_size=1)
verbs = st.sampled_from(["add", "replace"])


def write(path: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda verb, value: {"op": verb, "path": path, "value": value}, verbs, values)


operations = st.one_of(
    write("displayName", texts),
    write("name", names),
    write("name.givenName", texts),
    write("emails", email_lists),
    write(f"{ENT}:department", texts),
    write(ENT, extensions),
    st.builds(lambda chosen, text: replace(f"emails[{chosen}].display", text), filters, texts),
    st.builds(lambda chosen, mark: replace(f"emails[{chosen}].primary", mark), filters, st.booleans()),
    st.builds(lambda chosen, text: add(f"emails[{chosen}]", {"display": text}), filters, texts),
    st.builds(
        lambda verb, value: {"op": verb, "value": value}, verbs, st.fixed_dictionaries({"name": names, ENT: extensions})
    ),
    st.sampled_from(["displayName", "name", "name.givenName", "emails", f"{ENT}:department", ENT, "userName"]).map(
        remove
    ),
    filters.map(lambda chosen: remove(f"emails[{chosen}]")),
)
starts = st.fixed_dictionaries(
    {"userName": st.just("babs")},
    optional={
        "displayName": texts,
        "name": names,
        "emails": email_lists,
        ENT: extensions,
    },
)


def one_primary(document: dict[str, Any]) -> bool:
    return sum(email.get("primary", False) for email in document.get("emails", [])) < 2


def assigned(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in the form both sides can be compared in: `primary: false` is the same as none."""
    emails = [{k: v for k, v in it.items() if v is not False} for it in document.get("emails", [])]
    kept = {key: value for key, value in document.items() if key not in ("schemas", "emails")}
    return {**kept, "emails": emails}


@settings(max_examples=150, deadline=None)
@given(before=starts.filter(one_primary), patch=st.lists(operations, min_size=1, max_size=3))
def test_scim2_models_patches_to_the_same_result(before: dict[str, Any], patch: list[dict[str, Any]]) -> None:
    try:
        ours: dict[str, Any] | None = apply_patch(before, {"schemas": [PATCH_OP], "Operations": patch}, USER_TYPE)
    except ScimError as error:
        ours = None
        if error.scim_type == "noTarget" and any(it["op"] == "remove" for it in patch):
            return  # a filtered remove that matches nothing: noTarget here (table 9), nothing to do there
    theirs = patched_by_scim2_models(before, patch)
    assert (ours and assigned(ours)) == (theirs and assigned(theirs))


def patched_by_scim2_models(before: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any] | None:
    model: Any = scim2_models.User[scim2_models.EnterpriseUser]
    resource = model.model_validate({"schemas": [USER, ENT], **before})
    try:
        scim2_models.PatchOp[model].model_validate({"schemas": [PATCH_OP], "Operations": patch}).patch(resource)
    except (scim2_models.SCIMException, ValueError):
        return None
    return dict(resource.model_dump())
