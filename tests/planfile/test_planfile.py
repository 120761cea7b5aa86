"""The plan file: read back equal, canonical, described by its schema, strict; and the digest covers the intent only."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from reconciler.errors import InputError
from reconciler.model import (
    AccessChange,
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    CreateResource,
    DeleteResource,
    Diagnostic,
    LiveReference,
    Origin,
    PatchOp,
    PatchOperation,
    PatchResource,
    Plan,
    ResourceType,
    Severity,
    SourceLocation,
    Violation,
)
from reconciler.planfile import BESIDE, digest, dump, load, violation_digest
from tests.planfile import plan_strategies as of

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
ALICE = Address(ResourceType.USER, "alice.ng")
TITLE = AttributeChange(path="title", op=PatchOp.REPLACE, cause=Cause.DECLARED, before="Agent", after="Lead")
CHANGE = Change(
    address=ALICE,
    actions=(Action.UPDATE,),
    cause=Cause.DECLARED,
    label="Alice Ng",
    live_id="2819c223",
    attribute_changes=(TITLE,),
)
RULE = Violation(rule="removals", summary="9 of 40", actual=9, limit=3, items=("user.a", "user.b"), digest="", mend="")
PLAN = Plan(target="sandbox", profile="genesys", changes=(CHANGE,), violations=(RULE,))
PROBLEM = Diagnostic(severity=Severity.ERROR, code="c", summary="s")


@given(of.plans)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_is_read_back_as_it_was(plan: Plan) -> None:
    data = dump(plan)
    again = load(data)
    assert again == plan
    assert dump(again) == data
    assert digest(again) == digest(plan) == json.loads(data)["digest"]


@given(of.plans)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_plan_fits_the_schema(plan: Plan) -> None:
    VALIDATOR.validate(in_unicode(json.loads(dump(plan))))


def in_unicode(document: Any) -> Any:
    """The same without lone surrogates, which the validator cannot take."""
    if isinstance(document, dict):
        return {in_unicode(name): in_unicode(each) for name, each in document.items()}
    if isinstance(document, list):
        return [in_unicode(each) for each in document]
    return document.encode(errors="replace").decode() if isinstance(document, str) else document


def test_the_file_is_canonical() -> None:
    level = AttributeChange(path="routingSkills", op=PatchOp.ADD, cause=Cause.DECLARED, item="Billing", after=4.0)
    plan = replace(PLAN, changes=(replace(CHANGE, attribute_changes=(level,)),))
    same = replace(PLAN, changes=(replace(CHANGE, attribute_changes=(replace(level, after=4),)),))
    assert dump(plan) == dump(same)
    text = dump(plan).decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    "bad", ["\u202e", "\x9b2J", "\x7f", "李", "\U0001f600", "##vso[task.x]", "###[x", "\ud800##", "\n::x::"]
)
def test_the_file_can_be_printed_anywhere(bad: str) -> None:
    plan = replace(PLAN, names={"1": (bad, bad)}, changes=(replace(CHANGE, source=SourceLocation(bad, 1)),))
    text = dump(plan).decode()
    assert text.isascii()
    assert text.isprintable()
    assert "##" not in text
    assert load(text.encode()) == plan


def described(kind: type) -> set[str]:
    """The members that the schema gives the object of a type."""
    places = {
        "Plan": SCHEMA,
        "SourceLocation": SCHEMA["$defs"]["source"],
        "LiveReference": SCHEMA["$defs"]["value"]["then"]["oneOf"][1]["properties"]["$live"],
        "CreateResource": SCHEMA["$defs"]["createOperation"],
        "PatchResource": SCHEMA["$defs"]["patchOperation"],
        "DeleteResource": SCHEMA["$defs"]["deleteOperation"],
        "PatchOperation": SCHEMA["$defs"]["patchOperation"]["properties"]["operations"]["items"],
    }
    name = kind.__name__
    place = places.get(name) or SCHEMA["$defs"][name[0].lower() + name[1:]]
    always = set(place["properties"]) - (BESIDE if kind is Plan else set())
    assert sorted(always) == place["required"]
    assert place["additionalProperties"] is False
    return always - {"digest" if kind is Plan else "kind"}


@pytest.mark.parametrize(
    "kind",
    [
        *(Plan, Change, AttributeChange, Origin, SourceLocation, LiveReference, Diagnostic, Violation),
        *(CreateResource, PatchResource, DeleteResource, PatchOperation),
    ],
)
def test_the_schema_names_every_field(kind: type) -> None:
    names = {each.name for each in fields(kind)}
    assert described(kind) == (names - {"digest"} if kind is Plan else names)


def test_the_schema_describes_everything() -> None:
    def silent(place: str, node: Any) -> list[str]:
        found = []
        for name, each in node.get("properties", {}).items():
            here = f"{place}.{name}"
            if not {"description", "$ref", "const"} & each.keys():
                found.append(here)
            found += silent(here, each)
        return found

    assert not silent("plan", SCHEMA)
    assert not [each for name, node in SCHEMA["$defs"].items() for each in silent(name, node)]


# --- reading is strict


def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(dump(PLAN))
    change(document)
    return json.dumps(document).encode()


def waiting(*operations: tuple[int, tuple[int, ...]]) -> bytes:
    found = tuple(
        DeleteResource(number=number, address=ALICE, live_id="1", depends_on=waits) for number, waits in operations
    )
    return dump(replace(PLAN, operations=found))


MALFORMED = [
    (b"", "line 1, column 1: is not JSON"),
    (b"\xff\xfe", "is not UTF-8 text"),
    (b"[]", "must be an object"),
    (b"{}", "format_version: must be a whole number"),
    (b'{"a":1,"a":2}', "two members of the same name"),
    (b'{"a":NaN}', "NaN is not JSON"),
    (b'{"a":1e999}', "a number is too large"),
    (b'{"a":' + b"9" * 5000 + b"}", "a number is too long"),
    (b"[" * 100_000, "nested too deeply"),
    (dump(PLAN)[:-9], "is not JSON"),
    (altered(lambda d: d.update(format_version=2)), "newer format 2"),
    (altered(lambda d: d.update(format_version=2, tool_version="9.1")), "(by version 9.1)"),
    (altered(lambda d: d.update(format_version=0)), "older format 0"),
    (altered(lambda d: d.update(format_version=True)), "format_version: must be a whole number"),
    (altered(lambda d: d.pop("digest")), "digest: must be text"),
    (altered(lambda d: d.pop("names")), "names: is missing"),
    (altered(lambda d: d.update(extra=1)), "extra: is not known here"),
    (altered(lambda d: d.update(target="production")), "digest: does not match the changes"),
    (altered(lambda d: d["changes"][0].update(live_id="other")), "digest: does not match the changes"),
    (altered(lambda d: d["changes"][0].update(address="robot.x")), "changes[0].address: must be an address"),
    (altered(lambda d: d["changes"][0].update(address="user.")), "changes[0].address: must be an address"),
    (altered(lambda d: d["changes"][0].update(actions="update")), "changes[0].actions: must be an array"),
    (altered(lambda d: d["changes"][0].update(actions=["explode"])), "changes[0].actions[0]: must be one of create"),
    (altered(lambda d: d["changes"][0].update(source={})), "changes[0].source.column: is missing"),
    (altered(lambda d: d["changes"][0].update(kept={"roles": "3"})), "changes[0].kept.roles: must be a whole number"),
    (
        altered(lambda d: d["changes"][0]["attribute_changes"][0].pop("op")),
        "changes[0].attribute_changes[0].op: is missing",
    ),
    (
        altered(lambda d: d["changes"][0]["attribute_changes"][0].update(after={"$address": "x"})),
        "changes[0].attribute_changes[0].after.$address: must be an address",
    ),
    (
        altered(lambda d: d["changes"][0]["attribute_changes"][0].update(after={"$run": "x"})),
        "changes[0].attribute_changes[0].after: an object whose members begin with $",
    ),
    (
        altered(lambda d: d["changes"][0]["attribute_changes"][0].update(after=[{"$address": "user.x"}])),
        "a reference cannot stand inside a value",
    ),
    (altered(lambda d: d.update(operations=[{"kind": "replace"}])), "operations[0].kind: must be one of create"),
    (altered(lambda d: d.update(names={"1": ["a"]})), "names.1: must hold two values"),
    (altered(lambda d: d.update(matched={"robot": 1})), "matched.robot: must be one of user, group"),
    (waiting((1, (2,)), (2, ())), "operations[0].depends_on: names an operation that does not come before"),
    (waiting((1, (1,))), "operations[0].depends_on"),
    (waiting((1, ()), (1, ())), "operations[1].number: the number 1 is taken"),
]


@pytest.mark.parametrize(("data", "words"), MALFORMED)
def test_a_damaged_file_is_refused_with_the_place(data: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        load(data)
    assert words in caught.value.summary
    assert caught.value.mend


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_never_passes_unseen(data: st.DataObject) -> None:
    """A byte more, less or other: either refused, or it only touched what the digest does not cover."""
    whole = dump(PLAN)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=2)) + whole[at + 1 :]
    try:
        again = load(broken)
    except InputError:
        return
    assert digest(again) == digest(PLAN)


# --- the digest


def with_title(**changed: Any) -> Plan:
    return replace(PLAN, changes=(replace(CHANGE, attribute_changes=(replace(TITLE, **changed),)),))


def with_change(**changed: Any) -> Plan:
    return replace(PLAN, changes=(replace(CHANGE, **changed),))


def with_rule(**changed: Any) -> Plan:
    return replace(PLAN, violations=(replace(RULE, **changed),))


COVERED = {
    "target": replace(PLAN, target="other"),
    "profile": replace(PLAN, profile="rfc"),
    "no change": replace(PLAN, changes=()),
    "the change twice": replace(PLAN, changes=(CHANGE, CHANGE)),
    "address": with_change(address=Address(ResourceType.USER, "alice")),
    "resource type": with_change(address=Address(ResourceType.GROUP, "alice.ng")),
    "live id": with_change(live_id="x"),
    "no live id": with_change(live_id=None),
    "action": with_change(actions=(Action.RENAME,)),
    "one more action": with_change(actions=(Action.RENAME, Action.UPDATE)),
    "no attribute": with_change(attribute_changes=()),
    "path": with_title(path="department"),
    "op": with_title(op=PatchOp.ADD),
    "before": with_title(before="Trainee"),
    "after": with_title(after="lead"),
    "number, not text": with_title(after=1),
    "truth, not a number": with_title(after=True),
    "reference, not text": with_title(after=ALICE),
    "no value": with_title(after=None),
    "item": with_title(item="Billing"),
    "rule": with_rule(rule="roleRemovals"),
    "items": with_rule(items=("user.a",)),
    "no rule": replace(PLAN, violations=()),
}


def test_the_digest_covers_the_intent() -> None:
    digests = {name: digest(plan) for name, plan in {"as it is": PLAN, **COVERED}.items()}
    assert len(set(digests.values())) == len(digests)
    assert all(len(each) == 64 and int(each, 16) >= 0 for each in digests.values())


CHANGE_INTENT = {"address", "live_id", "actions", "attribute_changes"}
ATTRIBUTE_INTENT = {"path", "op", "before", "after", "item"}
PLAN_INTENT = {"target", "profile", "changes", "violations"}
VIOLATION_INTENT = {"rule", "items"}


DIFFERENCE = replace(TITLE, cause=Cause.DRIFT, notes=("note",), origin=Origin(SourceLocation("a", 1), "via"), until="2")
OTHER_CHANGE = replace(
    CHANGE,
    cause=Cause.DUE,
    label="other",
    version="1",
    reason="other",
    source=SourceLocation("a", 1),
    notes=("note",),
    kept={"a": 1},
    warnings=("warning",),
)
OTHER_RULE = replace(RULE, summary="other", actual=2, limit=1, digest="other", mend="other")
OTHER = replace(
    PLAN,
    drift=(CHANGE,),
    operations=(DeleteResource(number=1, address=ALICE, live_id="1"),),
    refused=(PROBLEM,),
    notices=(PROBLEM,),
    names={"1": ("a", "b")},
    matched={ResourceType.USER: 1},
    unmanaged=1,
    requests=1,
    requests_per_minute=1,
    access=(AccessChange(person="1", name="a", label="b"),),
    commit="c",
    tool_version="2",
    format_version=2,
)
"""Plans that have other than the usual values wherever the digest does not look."""


@pytest.mark.parametrize(
    ("usual", "other", "intent"),
    [
        (PLAN, OTHER, PLAN_INTENT),
        (CHANGE, OTHER_CHANGE, CHANGE_INTENT),
        (TITLE, DIFFERENCE, ATTRIBUTE_INTENT),
        (RULE, OTHER_RULE, VIOLATION_INTENT),
    ],
)
def test_the_others_differ_wherever_they_may(usual: Any, other: Any, intent: set[str]) -> None:
    """The test below can fail."""
    same = {each.name for each in fields(usual) if getattr(usual, each.name) == getattr(other, each.name)}
    assert same == intent


@given(of.plans, st.randoms())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_digest_covers_nothing_else(plan: Plan, random: Any) -> None:
    """Every field outside the intent may hold something else, and no order matters."""

    def beside(value: Any, donor: Any, intent: set[str]) -> Any:
        taken = {each.name: getattr(donor, each.name) for each in fields(value) if each.name not in intent}
        return replace(value, **taken)

    def shuffled(values: Any) -> Any:
        return tuple(random.sample(list(values), len(values)))

    changes = [
        replace(
            beside(each, OTHER_CHANGE, CHANGE_INTENT),
            actions=shuffled(each.actions),
            attribute_changes=shuffled([beside(one, DIFFERENCE, ATTRIBUTE_INTENT) for one in each.attribute_changes]),
        )
        for each in plan.changes
    ]
    broken = [
        replace(beside(each, OTHER_RULE, VIOLATION_INTENT), items=shuffled(each.items)) for each in plan.violations
    ]
    varied = replace(beside(plan, OTHER, PLAN_INTENT), changes=shuffled(changes), violations=shuffled(broken))
    assert digest(varied) == digest(plan)


def test_the_digest_of_a_rule_covers_its_items() -> None:
    found = violation_digest("removals", ["user.a", "user.b"])
    assert found == violation_digest("removals", ["user.b", "user.a"])
    assert len(found) == 8
    others = [("minimum", ["user.a", "user.b"]), ("removals", ["user.a"]), ("removals", ["user.a,user.b"])]
    assert found not in {violation_digest(rule, items) for rule, items in others}


def test_the_digest_is_the_same_for_ever() -> None:
    """Accepted digests stand in git; another way to compute them would break each."""
    assert violation_digest("removals", ["user.zed.k"]) == sha256(b'["removals","user.zed.k"]').hexdigest()[:8]
    intent = (
        b'{"changes":[{"actions":["update"],"address":"user.alice.ng",'
        b'"attributes":[["title","replace","Agent","Lead",null]],"live_id":"2819c223"}],'
        b'"profile":"genesys","target":"sandbox","violations":[["removals","user.a","user.b"]]}'
    )
    assert digest(PLAN) == sha256(intent).hexdigest()
