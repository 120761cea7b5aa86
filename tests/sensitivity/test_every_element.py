"""Elements and complex values as a whole, `primary`, and `active`: what has rules of its own."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model import Action, Cause, PatchOp
from reconciler.profiles.loading import load_profile
from reconciler.scim.attributes import Attribute, Kind
from tests.sensitivity.cases import Case, primary_cases, scalar_cases
from tests.sensitivity.chain import Chain, RefusedLines, declared, differences

PRIMARIES = [*primary_cases("rfc"), *primary_cases("genesys")]
KEYED = [
    (profile, each)
    for profile in ("rfc", "genesys")
    for each in load_profile(profile).users.table.attributes
    if each.kind is Kind.KEYED and each.name not in load_profile(profile).users.unsupported
]
OpenChain = Callable[..., Chain]
LOGIN = "ann@x.example"
Shown = tuple[str, PatchOp]


def ann(**lines: Any) -> str:
    return declared({"ann": {"userName": LOGIN, "displayName": "Ann", **lines}})


def apply(chain: Chain, text: str, *shown: Shown, drift: bool = False) -> None:
    found = differences(chain.apply(text, drift=drift).changes)
    assert sorted((each.path, each.op) for each in found) == sorted(shown)
    assert {each.cause for each in found} <= {Cause.DRIFT if drift else Cause.DECLARED}


def drifted(chain: Chain, text: str, *shown: Shown) -> None:
    plan = chain.plan(text).plan
    assert (plan.changes, plan.operations) == ((), ())
    assert sorted((each.path, each.op) for each in differences(plan.drift)) == sorted(shown)
    if shown:
        apply(chain, text, *shown, drift=True)


# --- primary


@pytest.mark.parametrize("case", PRIMARIES, ids=str)
def test_primary(case: Case, open_chain: OpenChain) -> None:
    chain = open_chain(case.profile)
    plain = ann(**case.around)
    preferred, other, cleared = (ann(**case.lines(each)) for each in (True, False, None))

    def held() -> bool:
        return case.found_in(chain.stored(LOGIN)) is True

    chain.apply(plain)
    # not specified is false (RFC 7643 section 2.4)
    apply(chain, other)
    apply(chain, cleared)
    apply(chain, preferred, (case.path, PatchOp.ADD))
    assert held()
    apply(chain, other, (case.path, PatchOp.REMOVE))
    assert not held()
    chain.elsewhere(LOGIN, {"op": "replace", "path": case.path, "value": True})
    drifted(chain, other, (case.path, PatchOp.REMOVE))
    assert not held()
    apply(chain, preferred, (case.path, PatchOp.ADD))
    chain.elsewhere(LOGIN, {"op": "replace", "path": case.path, "value": False})
    drifted(chain, preferred, (case.path, PatchOp.ADD))
    assert held()
    apply(chain, cleared, (case.path, PatchOp.REMOVE))
    assert not held()
    # without a line it is whatever it is
    chain.elsewhere(LOGIN, {"op": "replace", "path": case.path, "value": True})
    drifted(chain, plain)


@pytest.mark.parametrize("case", PRIMARIES, ids=str)
def test_created_as_primary(case: Case, open_chain: OpenChain) -> None:
    for value in (True, False):
        chain = open_chain(case.profile)
        chain.apply(ann(**case.lines(value)))
        assert (case.found_in(chain.stored(LOGIN)) is True) is value


def test_primary_moves_from_one_element_to_another(open_chain: OpenChain) -> None:
    chain = open_chain("rfc")
    work, home = {"value": "w@x.example"}, {"value": "h@x.example"}
    chain.apply(ann(emails={"work": work | {"primary": True}, "home": home}))
    moved = ann(emails={"work": work | {"primary": False}, "home": home | {"primary": True}})
    apply(
        chain,
        moved,
        ('emails[type eq "home"].primary', PatchOp.ADD),
        ('emails[type eq "work"].primary', PatchOp.REMOVE),
    )
    marked = [each["type"] for each in chain.stored(LOGIN)["emails"] if each.get("primary")]
    assert marked == ["home"]
    # the server takes the mark from the other one by itself (RFC 7644 section 3.5.2)
    back = ann(emails={"work": work | {"primary": True}, "home": home})
    apply(chain, back, ('emails[type eq "work"].primary', PatchOp.ADD))
    assert [each["type"] for each in chain.stored(LOGIN)["emails"] if each.get("primary")] == ["work"]


# --- elements and complex values


def sample(profile: str, attribute: Attribute) -> tuple[dict[str, Any], set[str]]:
    """An attribute with all of its elements' parts, and the paths that are declared by them."""
    elements: dict[str, Any] = {}
    paths = set()
    for case in scalar_cases(profile):
        if case.attribute == attribute.name and case.element is not None and case.part is not None:
            elements.setdefault(case.element[1], {})[case.part] = case.values[0].yaml
            paths.add(case.path)
    return elements, paths


@pytest.mark.parametrize(("profile", "attribute"), KEYED, ids=[f"{profile}-{each.name}" for profile, each in KEYED])
def test_elements_come_and_go_as_a_whole(profile: str, attribute: Attribute, open_chain: OpenChain) -> None:
    chain = open_chain(profile)
    elements, paths = sample(profile, attribute)
    path = attribute.path
    chain.apply(ann())

    def held() -> list[str]:
        resource = chain.stored(LOGIN)
        holder = resource.get(attribute.schema, resource)
        return sorted(each[attribute.key] for each in holder.get(attribute.name, []))

    apply(chain, ann(**{attribute.name: elements}), *((each, PatchOp.ADD) for each in paths))
    assert held() == sorted(elements)
    first, *rest = sorted(elements)
    gone = {each for each in paths if f'"{first}"' in each and (attribute.value in (None, each.rpartition(".")[2]))}
    apply(chain, ann(**{attribute.name: {**elements, first: None}}), *((each, PatchOp.REMOVE) for each in gone))
    assert held() == rest
    chain.apply(ann(**{attribute.name: elements}))
    apply(chain, ann(**{attribute.name: None}), (path, PatchOp.REMOVE))
    assert held() == []
    apply(chain, ann(**{attribute.name: {}}))
    # no line: what others write there is theirs
    apply(chain, ann())


def test_clearing_all_leaves_what_the_provider_owns(open_chain: OpenChain) -> None:
    chain = open_chain("rfc")
    users = replace(chain.profile.users, read_only_elements={"emails": ("other",)})
    chain.profile = replace(chain.profile, users=users)
    chain.apply(ann(emails={"work": "w@x.example", "home": "h@x.example"}))
    chain.elsewhere(LOGIN, {"op": "add", "path": "emails", "value": [{"type": "other", "value": LOGIN}]})
    apply(chain, ann(emails=None), ("emails", PatchOp.REMOVE))
    assert [each["type"] for each in chain.stored(LOGIN)["emails"]] == ["other"]


def test_a_name_is_cleared_part_by_part(open_chain: OpenChain) -> None:
    chain = open_chain("rfc")
    chain.apply(ann(name={"givenName": "Ann", "familyName": "Lee"}))
    apply(chain, ann(name=None), ("name.givenName", PatchOp.REMOVE), ("name.familyName", PatchOp.REMOVE))
    assert "name" not in chain.stored(LOGIN)


# --- active


@pytest.mark.parametrize("profile", ["rfc", "genesys"])
def test_active(profile: str, open_chain: OpenChain) -> None:
    chain = open_chain(profile)
    on, off, unsaid = ann(active=True), ann(active=False), ann()

    def act(text: str, action: Action, *, drift: bool = False) -> None:
        (change,) = chain.apply(text, drift=drift).changes
        assert change.actions == (action,)
        ((path, after),) = [(each.path, each.after) for each in change.attribute_changes]
        assert (path, after) == ("active", action is Action.REACTIVATE)
        assert chain.stored(LOGIN)["active"] is after

    chain.apply(unsaid)
    assert chain.stored(LOGIN)["active"] is True
    act(off, Action.DEACTIVATE)
    apply(chain, unsaid)
    act(on, Action.REACTIVATE)
    chain.elsewhere(LOGIN, {"op": "replace", "path": "active", "value": False})
    assert [each.actions for each in chain.plan(on).plan.drift] == [(Action.REACTIVATE,)]
    act(on, Action.REACTIVATE, drift=True)
    act(off, Action.DEACTIVATE)
    chain.elsewhere(LOGIN, {"op": "replace", "path": "active", "value": True})
    assert [each.actions for each in chain.plan(off).plan.drift] == [(Action.DEACTIVATE,)]
    act(off, Action.DEACTIVATE, drift=True)


@pytest.mark.parametrize("value", ["False", "yes", 0])
def test_active_is_never_text(value: object, open_chain: OpenChain) -> None:
    with pytest.raises(RefusedLines):
        open_chain("rfc").desired(ann(active=value))


# --- an extension that no profile describes


ACME_VALUES: Mapping[str, Any] = {"empty list": [], "empty object": {}, "only nulls": {"colour": None, "tags": []}}


@pytest.mark.parametrize("profile", ["rfc", "genesys"])
@pytest.mark.parametrize("value", ACME_VALUES.values(), ids=ACME_VALUES)
def test_empty_values_of_an_unknown_extension_clear(profile: str, value: Any, open_chain: OpenChain) -> None:
    acme = "urn:acme:params:scim:schemas:extension:badge:1.0:User"
    chain = open_chain(profile, acme=True)
    apply(chain, ann(**{acme: {"badge": value}}), *created(chain))
    chain.apply(ann(**{acme: {"badge": {"colour": "red", "tags": ["x"]}}}))
    apply(chain, ann(**{acme: {"badge": value}}), (f"{acme}:badge", PatchOp.REMOVE))
    assert acme not in chain.stored(LOGIN)


def created(chain: Chain) -> list[Shown]:
    """What the creation of Ann without any other line shows."""
    found = chain.plan(ann()).plan.changes
    return [(each.path, each.op) for each in differences(found)]
