"""Random organisations whose values nobody would declare: as rows of a server that checks nothing it is given."""

from typing import Any

from hypothesis import strategies as st

from reconciler.errors import IncompleteListing
from reconciler.model import LiveState, ResourceType
from reconciler.profiles.profile import Profile
from reconciler.refreshing import decode_resource
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, Attribute, Kind

Row = dict[str, Any]

YAML_WORDS = [
    *("no", "null", "~", "true", "True", "NULL", "1e3", "02142", "0x1f", "2026-01-02", "1:30", "- x", "# x", "a #b"),
    *("a: b", "{a}", "[a", "'", '"', "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "?", "<<", "=", ":", "---", "..."),
    *("<<<<<<< HEAD", "x\\", "\\n", "'''", "a, b", "]}"),
]
CHARACTERS = [
    *("a\nb", "\nr", "\r\n", "\tx", "x\ty", " a ", "\x00", "\x1b[31m", "\x7f", "\x85", "\x88", "\u2028", "\ufeff"),
    *("\u202ex", "\u200b", "\u3000", "e\u0301", "\U0001f600", "\ue000", "\ufffe", "ẞ", "\u017f", "\u212a", "İ"),
]
FORMS = [
    *("Agent", "ann@example.com", "a@b c", "@", "a@", "ANN@example.com", "+442079460958", "+44 20 7946 0958 x12"),
    *("12", "1234567", "+1", "tel:+44-20-7946-0958;ext=1", "home", "2026-02-30", "2026-06-15T00:00:00Z", "en_GB"),
    *("bulkId:1", "bulkId:", "BULKID:1", "${SECRET}", "env:TOKEN", "password", "-----BEGIN PRIVATE KEY-----"),
    *("group.x", "user.ann", "employee", "x" * 100_000, "", " ", "urn:x", "live", "1" * 30, "-0", "1e400"),
]
TEXTS = st.sampled_from([*YAML_WORDS, *CHARACTERS, *FORMS]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
TAME = st.sampled_from(["Agent", "Lead", "Support", "ann@example.com", "bob@example.com", "+442079460958", "000142"])
VALUES = TAME | TAME | TEXTS
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e16, 0.1, 5.5, -1, 6])
)
JSON = st.recursive(
    ODD | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(VALUES, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["work", "work", "home", "mobile", "Work", "other", "Desk", "x-pc:scimv2:v1:1", ""]) | TEXTS
URNS = ["urn:example:hr:2.0:User", "urn:Example:HR:2.0:user", "urn:x", "urn:x:1.0:a b", "urn:y:\n"]
LOGINS = st.sampled_from(
    [
        *("ann@example.com", "ANN@example.com", "bob@example.com", "ann@other.example", "ann", "Zoë@a.example"),
        *("cy@example.com", "null@example.com", "true", "bulkId:9", "x\x00@a", "a\nb@a.example", "李@a.example", "-"),
    ]
)
NAMES = (
    st.sampled_from(["Team", "team", "TEAM ", "Null", "bulkId:2", "x\x01", "No: 1", "a\nb", "…", "Support", ""]) | TEXTS
)


def _held(attribute: Attribute, ids: list[str]) -> st.SearchStrategy[Any]:
    """What a server may hold in an attribute: most often of the right shape."""
    element: dict[str, st.SearchStrategy[Any]]
    match attribute.kind:
        case Kind.COMPLEX:
            return st.dictionaries(st.sampled_from(attribute.parts), VALUES | ODD, max_size=3)
        case Kind.KEYED:
            parts = {part: VALUES for part in attribute.parts if part != "primary"}
            element = {attribute.key: KEYS, "primary": st.booleans(), **parts}
            return st.lists(st.fixed_dictionaries({}, optional=element) | VALUES, max_size=3)
        case Kind.NAMES:
            return st.lists(st.fixed_dictionaries({"value": VALUES}) | VALUES, max_size=3)
        case Kind.LEVELS:
            level = {str(attribute.value): st.integers(0, 5) | st.floats(-1, 6) | ODD}
            return st.lists(st.fixed_dictionaries({attribute.key: VALUES}, optional=level), max_size=3)
        case Kind.REFERENCE:
            return st.fixed_dictionaries({"value": st.sampled_from([*ids, "nobody"])}) | st.sampled_from(ids)
        case Kind.MEMBERS:
            member = st.fixed_dictionaries({"value": st.sampled_from([*ids, *ids, "nobody"])})
            return st.lists(member, max_size=5)
        case Kind.BOOLEAN:
            return st.sampled_from([True, True, True, False, "False", "perhaps"])
        case Kind.DATE:
            return st.sampled_from(["2026-01-02", "2026-06-15T00:00:00Z", "2026-02-30", "soon"]) | VALUES
        case _:
            return VALUES | ODD


@st.composite
def _row(draw: st.DrawFn, profile: Profile, kind: ResourceType, live_id: str, ids: list[str]) -> Row:
    row: Row = {"id": live_id}
    for attribute in profile.rules(kind).table.attributes:
        often = attribute.kind in (Kind.MEMBERS, Kind.REFERENCE, Kind.KEYED)
        if draw(st.sampled_from([True, False, often, False])):
            holder = row if attribute.schema in (CORE_USER, CORE_GROUP) else row.setdefault(attribute.schema, {})
            holder[attribute.name] = draw(_held(attribute, ids) if draw(st.integers(0, 7)) else JSON)
    if kind is ResourceType.GROUP:
        row["displayName"] = draw(NAMES)
        return row
    if draw(st.integers(0, 9)):
        row["userName"] = draw(LOGINS | st.just(f"{live_id}@example.com"))
    if draw(st.booleans()):
        row["displayName"] = draw(VALUES)
    for urn in draw(st.lists(st.sampled_from(URNS), max_size=1)):
        row[urn] = draw(st.dictionaries(VALUES, JSON, max_size=3) | JSON)
    return row


@st.composite
def organisations(draw: st.DrawFn, profile: Profile) -> LiveState:
    """Up to six people and four groups, in no sane state."""
    people = [f"u{number}" for number in range(draw(st.integers(1, 6)))]
    teams = [f"g{number}" for number in range(draw(st.integers(0, 4)))]
    found = {}
    for live_id in (*people, *teams):
        kind = ResourceType.USER if live_id in people else ResourceType.GROUP
        ids = people if kind is ResourceType.USER else [*people, *teams]
        row = draw(_row(profile, kind, live_id, ids))
        try:
            found[live_id] = decode_resource(row, kind, profile)
        except IncompleteListing as error:  # such a listing is refused as a whole, before anything is imported
            raise AssertionError(row) from error
    return LiveState(resources=found)
