"""The record as files: what is written is read back, byte for byte the same, and nothing damaged is believed."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import RecordTrouble
from reconciler.model import (
    Address,
    AppliedDates,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    ListMode,
    LiveReference,
    Pending,
    ResourceType,
)
from reconciler.record.encoding import decode, encode, shard_path
from reconciler.record.header import RecordHeader, url_fingerprint

URL = "https://scim.example.com/v2"
HEADER = RecordHeader(
    target="sandbox",
    url_fingerprint=url_fingerprint(URL),
    trees={"identities": "4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
    run="4711",
    tool="0.1.0",
    generation=3,
)
ALICE = Address(ResourceType.USER, "alice.ng")
BOB = Address(ResourceType.USER, "bob.li")
SUPPORT = Address(ResourceType.GROUP, "support-emea")

STATE = AppliedState(
    commit="1a2b3c4d" * 5,
    whole=True,
    exists=True,
    resources={
        ALICE: AppliedResource(
            address=ALICE,
            live_id="2819c223",
            source="1a2b3c4d" * 5,
            values={"title": "Senior Agent", "nickName": None, "active": True, "manager": BOB},
            lists={
                "roles": AppliedList(mode=ListMode.ADDITIVE, items={"Agent": AppliedItem()}),
                "routingSkills": AppliedList(mode=ListMode.AUTHORITATIVE),
            },
            dates=AppliedDates(starts_on="2026-01-12", ends_on="2031-06-30", delete_after=30),
            pending=Pending(
                values={"title": "Team Lead", "nickName": None},
                give={"roles": {"Supervisor": AppliedItem()}},
                take={"roles": frozenset({"Agent", "Admin"})},
            ),
        ),
        BOB: AppliedResource(
            address=BOB, live_id=None, source="9ab0" * 10, pending=Pending(values={"userName": "bob.li@example.com"})
        ),
        SUPPORT: AppliedResource(
            address=SUPPORT,
            live_id="e9e30dba",
            lists={"members": AppliedList(items={"2819c223": AppliedItem(until="2031-12-31")})},
        ),
    },
)


# --- strategies over every field

_names = st.text(st.characters(codec="utf-8"), max_size=8)
_optional = st.none() | _names
_keys = st.text("ab.", min_size=1, max_size=5)
_addresses = st.builds(Address, st.sampled_from(ResourceType), _keys)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _names,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_names | st.sampled_from(["$address", "$live", "$json", "$other"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_days = st.none() | st.dates().map(date.isoformat)
_values = st.dictionaries(
    _names, _json | _addresses | st.builds(LiveReference, st.sampled_from(ResourceType), _names), max_size=3
)
_items = st.dictionaries(_names, st.builds(AppliedItem, until=_days, live=_optional), max_size=3)
_modes = st.none() | st.sampled_from(ListMode)


@st.composite
def _pending(draw: st.DrawFn) -> Pending:
    return Pending(
        values=draw(_values),
        give=draw(st.dictionaries(_names, _items, max_size=2)),
        take=draw(st.dictionaries(_names, st.frozensets(_names, max_size=3), max_size=2)),
        delete=draw(st.booleans()),
        leaving=draw(st.booleans()),
    )


_dates = st.builds(AppliedDates, starts_on=_days, ends_on=_days, delete_after=st.none() | st.integers(0, 10_000))


@st.composite
def _states(draw: st.DrawFn) -> AppliedState:
    resources = {
        address: AppliedResource(
            address=address,
            live_id=draw(_optional),
            source=draw(_optional),
            values=draw(_values),
            lists=draw(st.dictionaries(_names, st.builds(AppliedList, mode=_modes, items=_items), max_size=2)),
            dates=draw(st.just(AppliedDates()) | _dates),
            pending=draw(st.just(Pending()) | _pending()),
            seen=draw(st.booleans()),
        )
        for address in draw(st.sets(_addresses, max_size=5))
    }
    return AppliedState(commit=draw(_optional), whole=draw(st.booleans()), resources=resources, exists=True)


@given(state=_states(), run=_names, generation=st.integers(1, 1000))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(state: AppliedState, run: str, generation: int) -> None:
    header = replace(HEADER, run=run, generation=generation)
    read, read_header = decode(encode(state, header, None), target="sandbox", url=URL)
    assert read == state
    assert read_header == replace(header, source_commit=state.commit, whole=state.whole, counts=read_header.counts)


@given(state=_states())
@settings(max_examples=30, deadline=None)
def test_the_same_state_gives_the_same_bytes(state: AppliedState) -> None:
    backwards = replace(state, resources=dict(list(state.resources.items())[::-1]))
    assert encode(state, HEADER, None) == encode(backwards, HEADER, None)
    assert encode(*decode(encode(state, HEADER, None)), None) == encode(state, HEADER, None)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (AppliedState, {"commit", "whole", "resources", "exists"}),
        (AppliedResource, {"address", "live_id", "source", "values", "lists", "dates", "pending", "seen"}),
        (AppliedList, {"mode", "items"}),
        (AppliedItem, {"until", "live"}),
        (AppliedDates, {"starts_on", "ends_on", "delete_after"}),
        (Pending, {"values", "give", "take", "delete", "leaving"}),
    ],
)
def test_the_round_trip_covers_every_field(kind: type[Struct], known: set[str]) -> None:
    assert set(kind.__struct_fields__) == known


# --- the layout


def test_a_record_is_a_header_shards_announcements_and_a_report() -> None:
    files = encode(STATE, HEADER, {"outcomes": {"user.alice.ng": "done"}})
    assert set(files) == {"header.json", "pending.jsonl", "report.json", shard_path(ALICE), shard_path(SUPPORT)}
    assert shard_path(ALICE).startswith("users/")
    assert shard_path(SUPPORT).startswith("groups/")
    assert orjson.loads(files["header.json"]) == {
        "format": 1,
        "target": "sandbox",
        "url": url_fingerprint(URL),
        "source": {"commit": "1a2b3c4d" * 5, "trees": dict(HEADER.trees)},
        "whole": True,
        "run": "4711",
        "tool": "0.1.0",
        "generation": 3,
        "lease": None,
        "counts": {"users": 1, "groups": 1, "pending": 2},
    }
    assert orjson.loads(files["report.json"]) == {"outcomes": {"user.alice.ng": "done"}}
    assert files[shard_path(ALICE)] == (
        b'{"address":"user.alice.ng","applied":{"lists":{"roles":{"Agent":{}},"routingSkills":{}},"values":{"active":true,'
        b'"manager":{"$address":"user.bob.li"},"nickName":null,"title":"Senior Agent"}},"dates":{"deleteAfter":30,'
        b'"endsOn":"2031-06-30","startsOn":"2026-01-12"},"id":"2819c223","modes":{"roles":"additive",'
        b'"routingSkills":"authoritative"},"source":"1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"}\n'
    )
    assert files["pending.jsonl"] == (
        b'{"address":"user.alice.ng","give":{"roles":{"Supervisor":{}}},"take":{"roles":["Admin","Agent"]},'
        b'"values":{"nickName":null,"title":"Team Lead"}}\n'
        b'{"address":"user.bob.li","source":"9ab09ab09ab09ab09ab09ab09ab09ab09ab09ab0",'
        b'"values":{"userName":"bob.li@example.com"}}\n'
    )


def test_an_empty_state_is_a_header_only() -> None:
    assert set(encode(AppliedState(), HEADER, None)) == {"header.json"}


def test_an_announcement_touches_no_shard() -> None:
    settled = replace(STATE, resources={ALICE: replace(STATE.resources[ALICE], pending=Pending())})
    before, after = encode(settled, HEADER, None), encode(STATE, HEADER, None)
    assert before[shard_path(ALICE)] == after[shard_path(ALICE)]
    assert shard_path(BOB) not in after


def test_shards_are_64_and_even() -> None:
    addresses = [Address(ResourceType.USER, f"person.{number}") for number in range(6400)]
    paths = [shard_path(address) for address in addresses]
    digits = {a + b + c for a in "0123" for b in "0123" for c in "0123"}
    assert set(paths) == {f"users/{each}.jsonl" for each in digits}
    assert max(paths.count(path) for path in set(paths)) < 200


def test_lines_are_sorted_by_address_within_a_shard() -> None:
    addresses = [Address(ResourceType.USER, f"person.{number}") for number in range(640)]
    state = AppliedState(resources={each: AppliedResource(address=each, live_id=each.key) for each in addresses})
    for path, data in encode(state, HEADER, None).items():
        if path.endswith(".jsonl"):
            written = [orjson.loads(line)["address"] for line in data.splitlines()]
            assert written == sorted(written)
            assert len(written) > 1


def test_mappings_that_are_not_dicts_are_written_too() -> None:
    value = MappingProxyType({"since": MappingProxyType({"year": 2020})})
    state = AppliedState(resources={ALICE: AppliedResource(address=ALICE, live_id="1", values={"urn:x:badge": value})})
    read, _ = decode(encode(state, HEADER, None))
    assert read.resources[ALICE].values == {"urn:x:badge": {"since": {"year": 2020}}}


def test_a_value_that_json_cannot_hold_is_named_by_its_address() -> None:
    entry = AppliedResource(address=ALICE, live_id="1", values={"urn:x:count": 2**70})
    with pytest.raises(RecordTrouble, match=r"user\.alice\.ng"):
        encode(AppliedState(resources={ALICE: entry}), HEADER, None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (URL, URL + "/", True),
        (URL, "https://SCIM.example.com/v2", True),
        (URL, "https://scim.example.com/V2", False),
        (URL, "https://scim.example.org/v2", False),
        ("sandbox:", "sandbox:", True),
    ],
)
def test_url_fingerprint(one: str, other: str, same: bool) -> None:
    assert (url_fingerprint(one) == url_fingerprint(other)) is same
    assert len(url_fingerprint(one)) == 64


# --- what is not believed

Files = dict[str, bytes]
_USERS, _GROUPS = shard_path(ALICE), shard_path(SUPPORT)


def _header(**changes: object) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        return files | {"header.json": orjson.dumps(orjson.loads(files["header.json"]) | changes)}

    return change


def _line(path: str, **changes: object) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        first, rest = files[path].split(b"\n", 1)
        return files | {path: orjson.dumps(orjson.loads(first) | changes) + b"\n" + rest}

    return change


def _value(value: object) -> Callable[[Files], Files]:
    return _line(_USERS, applied={"values": {"title": value}, "lists": {}}, modes={})


def _claims(claims: object) -> Callable[[Files], Files]:
    return _line(_USERS, applied={"values": {}, "lists": {"roles": claims}}, modes={})


def _without(path: str) -> Callable[[Files], Files]:
    return lambda files: {name: data for name, data in files.items() if name != path}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without("header.json"), "header.json is missing"),
        (lambda files: {}, "header.json is missing"),
        (lambda files: files | {"header.json": b""}, "header.json: not JSON"),
        (lambda files: files | {"header.json": b"[]"}, "not a JSON object"),
        (lambda files: files | {"header.json": b"\xff{}"}, "header.json: not JSON"),
        (lambda files: files | {"header.json": b"{}"}, "format is missing"),
        (_header(format=2), r"newer reconciler \(format 2"),
        (_header(format=0), "there is no format 0"),
        (_header(format="1"), "format is not of type int"),
        (_header(format=True), "format is not of type int"),
        (_header(target=None), "target is not of type str"),
        (_header(whole="yes"), "whole is not of type bool"),
        (_header(source={"commit": 7, "declarations": None, "settings": None}), "commit is not text"),
        (_header(source={}), "commit is missing"),
        (_header(counts={"users": 1, "groups": 1}), "pending is missing"),
        (_header(target="production"), 'belongs to target "production", not to "sandbox"'),
        (_header(url="0" * 64), "another url"),
        (_header(counts={"users": 2, "groups": 1, "pending": 2}), "users: 2 lines announced, 1 readable"),
        (_without(_USERS), "users: 1 lines announced, 0 readable"),
        (_without(_GROUPS), "groups: 1 lines announced, 0 readable"),
        (_without("pending.jsonl"), "pending: 2 lines announced, 0 readable"),
        (lambda files: files | {_USERS: files[_USERS][:-20]}, f"{_USERS}:1: not JSON"),
        (lambda files: files | {_USERS: b""}, f"{_USERS}:1: not JSON"),
        (lambda files: files | {_USERS: files[_USERS] * 2}, f"{_USERS}:2: a second line for user.alice.ng"),
        (lambda files: files | {"users/999.jsonl": b"{}\n"}, "users/999.jsonl: not a file of a record"),
        (lambda files: files | {"notes.txt": b""}, "notes.txt: not a file of a record"),
        (lambda files: _without(_USERS)(files) | {_GROUPS: files[_USERS]}, "does not belong into this file"),
        (_line(_USERS, address="user.zed"), "does not belong into this file"),
        (_line(_USERS, address="robot.alice"), "address is not an address"),
        (_line(_USERS, address="user."), "address is not an address"),
        (_line(_USERS, address=None), "address is not an address"),
        (_line(_USERS, id=7), "id is not text"),
        (_line(_USERS, source=[]), "source is not text"),
        (_line(_USERS, seen="no"), "seen is neither true nor false"),
        (_line(_USERS, applied={"values": {}}), "lists is not a JSON object"),
        (_line(_USERS, applied={"values": [], "lists": {}}), "values is not a JSON object"),
        (_value({"$secret": 1}), "a value of an unknown sort"),
        (_value({"$live": ["robot", "x"]}), "a value of an unknown sort"),
        (_claims({"Agent": None}), "an item is not a JSON object"),
        (_claims({"Agent": {"until": 1}}), "until is not text"),
        (_claims({"Agent": {"until": "2031-02-30"}}), "until is not a day"),
        (_line(_USERS, dates={"endsOn": "soon", "deleteAfter": 3}), "endsOn is not a day"),
        (_line(_USERS, dates={"endsOn": "20310630"}), "endsOn is not a day"),
        (_line(_USERS, dates={"startsOn": ""}), "startsOn is not a day"),
        (_line(_USERS, dates={"deleteAfter": -9}), "deleteAfter is not a number of days"),
        (_line(_USERS, modes={"roles": "strict"}), "a mode that does not exist"),
        (_line(_USERS, modes={"members": "additive"}), "a key that this version does not know"),
        (_line(_USERS, dates={"deleteAfter": "30"}), "deleteAfter is not a number of days"),
        (_line(_USERS, dates={"deleteAfter": True}), "deleteAfter is not a number of days"),
        (_line(_USERS, dates={"endsAt": "x"}), "a key that this version does not know"),
        (_line(_USERS, lease="x"), "a key that this version does not know"),
        (_line("pending.jsonl", give={"roles": ["Lead"]}), "a list is not a JSON object"),
        (_line("pending.jsonl", take={"roles": [1]}), "a list holds something else than names"),
        (_line("pending.jsonl", take={"roles": "Agent"}), "a list holds something else than names"),
        (_line("pending.jsonl", delete=1), "delete is neither true nor false"),
        (_line("pending.jsonl", values={}, give={}, take={}), "nothing is announced"),
        (_line("pending.jsonl", source="1a2b"), "user.alice.ng has two sources"),
    ],
)  # fmt: skip
def test_a_record_that_is_not_believed(damage: Callable[[Files], Mapping[str, bytes]], said: str) -> None:
    with pytest.raises(RecordTrouble, match=said) as caught:
        decode(damage(encode(STATE, HEADER, None)), target="sandbox", url=URL)
    assert caught.value.mend
    assert caught.value.summary.endswith(".")


def test_every_damaged_line_is_counted_and_three_are_named() -> None:
    addresses = [Address(ResourceType.USER, f"person.{number}") for number in range(6)]
    state = AppliedState(resources={each: AppliedResource(address=each, live_id="x") for each in addresses})
    files = {
        path: data[:-9] if path.startswith("users/") else data for path, data in encode(state, HEADER, None).items()
    }
    with pytest.raises(RecordTrouble) as caught:
        decode(files)
    assert caught.value.summary.count("not JSON") == 3
    assert "more" in caught.value.summary


def test_no_value_of_a_damaged_line_is_repeated() -> None:
    files = encode(STATE, HEADER, None)
    broken = _value({"$odd": "Confidential"})(files)
    with pytest.raises(RecordTrouble) as caught:
        decode(broken)
    assert "Confidential" not in str(caught.value.summary)


def test_the_report_is_for_people_only() -> None:
    assert decode(encode(STATE, HEADER, None) | {"report.json": b"not json"})[0] == STATE
