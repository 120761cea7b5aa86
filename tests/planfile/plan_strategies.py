"""Arbitrary plans: every field of every type varies, and operations only wait for earlier ones."""

from hypothesis import strategies as st

from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    CreateResource,
    DeleteResource,
    Diagnostic,
    LiveReference,
    Operation,
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

texts = st.text(max_size=8) | st.sampled_from(["$address", "bulkId:user.a", "userName", "\ud800", "\u202e", "é"])
numbers = st.integers(min_value=0, max_value=10**6)
addresses = st.builds(Address, st.sampled_from(ResourceType), texts.filter(bool))
sources = st.none() | st.builds(SourceLocation, texts, numbers, numbers)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.sampled_from(["$live"]), inner, max_size=3),
    max_leaves=5,
)
values = jsons | addresses | st.builds(LiveReference, st.sampled_from(ResourceType), texts)


def several(strategy, size=3):
    return st.lists(strategy, max_size=size).map(tuple)


diagnostics = st.builds(
    Diagnostic,
    severity=st.sampled_from(Severity),
    code=texts,
    summary=texts,
    detail=texts,
    mend=texts,
    address=st.none() | addresses,
    source=sources,
)
attribute_changes = st.builds(
    AttributeChange,
    path=texts,
    op=st.sampled_from(PatchOp),
    cause=st.sampled_from(Cause),
    before=values,
    after=values,
    item=st.none() | texts,
    notes=several(texts),
    origin=st.none() | st.builds(Origin, sources, texts),
    until=st.none() | texts,
)
changes = st.builds(
    Change,
    address=addresses,
    actions=st.lists(st.sampled_from(Action), unique=True, max_size=3).map(tuple),
    cause=st.sampled_from(Cause),
    label=texts,
    live_id=st.none() | texts,
    version=st.none() | texts,
    attribute_changes=several(attribute_changes),
    reason=texts,
    source=sources,
    notes=several(texts),
    kept=st.dictionaries(texts, numbers, max_size=2),
    warnings=several(texts),
)
violations = st.builds(
    Violation,
    rule=texts,
    summary=texts,
    actual=numbers,
    limit=numbers,
    items=several(texts),
    digest=texts,
    mend=texts,
)

access_items = st.builds(
    AccessItem, kind=st.sampled_from(AccessKind), attribute=texts, name=texts, privileged=st.booleans()
)
access = st.builds(
    AccessChange,
    person=texts,
    name=texts,
    label=texts,
    gains=several(access_items),
    loses=several(access_items),
    starts=st.booleans(),
    ends=st.booleans(),
)


@st.composite
def operations(draw) -> tuple[Operation, ...]:
    """Up to three, numbered in any way, each waiting for some that stand before it."""
    found: list[Operation] = []
    for number in draw(st.lists(numbers, unique=True, max_size=3)):
        before = st.lists(st.sampled_from(found), max_size=2) if found else st.just([])
        waits = tuple(each.number for each in draw(before))
        common = {"number": number, "address": draw(addresses), "depends_on": waits}
        match draw(st.sampled_from(["create", "patch", "delete"])):
            case "create":
                found.append(CreateResource(**common, body=draw(st.dictionaries(texts, jsons, max_size=3))))
            case "patch":
                patch = st.builds(PatchOperation, op=st.sampled_from(PatchOp), path=texts, value=jsons)
                version = draw(st.none() | texts)
                found.append(
                    PatchResource(**common, live_id=draw(texts), operations=draw(several(patch)), version=version)
                )
            case "delete":
                found.append(DeleteResource(**common, live_id=draw(texts)))
    return tuple(found)


plans = st.builds(
    Plan,
    target=texts,
    profile=texts,
    changes=several(changes),
    drift=several(changes, 1),
    operations=operations(),
    violations=several(violations, 2),
    refused=several(diagnostics, 1),
    notices=several(diagnostics, 1),
    names=st.dictionaries(texts, st.tuples(texts, texts), max_size=2),
    matched=st.dictionaries(st.sampled_from(ResourceType), numbers),
    unmanaged=numbers,
    requests=numbers,
    requests_per_minute=st.none() | numbers,
    access=several(access, 2),
    commit=st.none() | texts,
    tool_version=texts,
)
