"""Lists that are compared value by value: one value given, taken or put to another level is one change of that list."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reconciler.model import Cause, ListMode, PatchOp, ResourceType
from reconciler.profiles.loading import load_profile
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, Attribute, Kind
from tests.sensitivity.cases import PEOPLE, list_attributes
from tests.sensitivity.chain import Chain, declared, differences
from tests.sensitivity.worlds import NAMES

LISTS = [(profile, *each) for profile in ("rfc", "genesys") for each in list_attributes(profile)]
each_list = pytest.mark.parametrize(
    ("profile", "resource", "attribute"), LISTS, ids=[f"{profile}-{each.name}" for profile, _, each in LISTS]
)
OpenChain = Callable[..., Chain]
Shown = tuple[str, PatchOp, str | None]


class ListSubject:
    """The user or group whose list it is. Items are named by their place among the three that are known."""

    def __init__(self, chain: Chain, resource: ResourceType, attribute: Attribute) -> None:
        self.chain = chain
        self.attribute = attribute
        self.of_group = resource is ResourceType.GROUP
        self.login = "Team" if self.of_group else "ann@x.example"
        self.key = attribute.key if attribute.kind is Kind.LEVELS else "value"
        self.schema = None if attribute.schema in (CORE_USER, CORE_GROUP) else attribute.schema
        self.path = f"{self.schema}:{attribute.name}" if self.schema else attribute.name
        rules = load_profile(chain.profile.name).rules(resource)
        self.additive = rules.modes.get(attribute.name) is ListMode.ADDITIVE
        self.never = set(rules.never_removed.get(attribute.name, ()))

    def text(self, wanted: Sequence[int] | None, level: float = 3) -> str:
        """Declarations with these items; None is no line."""
        people = {key: {**each, "displayName": key.title()} for key, each in PEOPLE.items()}
        lines = {} if wanted is None else {self.attribute.name: self._written(wanted, level)}
        if self.of_group:
            return declared(people, {"team": {"displayName": "Team", **lines}})
        return declared({"ann": {"userName": "ann@x.example", "displayName": "Ann", **lines}, **people})

    def _written(self, wanted: Sequence[int], level: float) -> Any:
        if self.attribute.kind is Kind.LEVELS:
            return {NAMES[each]: level for each in wanted}
        return [list(PEOPLE)[each] if self.attribute.kind is Kind.MEMBERS else self.name(each) for each in wanted]

    def name(self, index: int) -> str:
        """What the store holds for an item."""
        if self.attribute.kind is Kind.MEMBERS:
            return str(self.chain.stored(f"{list(PEOPLE)[index]}@x.example")["id"])
        # a certificate is base64 (RFC 7643 section 4.1.2), and so are these names
        return ("T25l", "VHdv", "VGhyZWU=")[index] if self.attribute.name == "x509Certificates" else NAMES[index]

    def held(self) -> set[str]:
        """The items in the store, but for those that the organisation gives everybody."""
        resource = self.chain.stored(self.login)
        holder = resource.get(self.schema, {}) if self.schema else resource
        return {each[self.key] for each in holder.get(self.attribute.name, [])} - self.never

    def applies(self, text: str, *shown: Shown, drift: bool = False) -> None:
        applied = self.chain.apply(text, drift=drift)
        found = differences(applied.changes)
        cause = Cause.DRIFT if drift else Cause.DECLARED
        assert {(each.path, each.op, each.item) for each in found} == set(shown)
        assert [each.cause for each in found] == [cause] * len(shown)

    def gives(self, index: int) -> Shown:
        return (self.path, PatchOp.ADD, self.name(index))

    def takes(self, index: int) -> Shown:
        return (self.path, PatchOp.REMOVE, self.name(index))

    def drifts(self, text: str, *shown: Shown) -> None:
        plan = self.chain.plan(text).plan
        assert (plan.changes, plan.operations) == ((), ())
        assert {(each.path, each.op, each.item) for each in differences(plan.drift)} == set(shown)
        if shown:
            self.applies(text, *shown, drift=True)

    def elsewhere(self, op: str, index: int, level: float = 3) -> None:
        if op == "remove":
            self.chain.elsewhere(
                self.login, {"op": "remove", "path": f'{self.path}[{self.key} eq "{self.name(index)}"]'}
            )
            return
        value = {self.key: self.name(index)}
        if self.attribute.kind is Kind.LEVELS:
            value |= {str(self.attribute.value): level}  # type: ignore[dict-item]
        self.chain.elsewhere(self.login, {"op": "add", "path": self.path, "value": [value]})


@each_list
def test_items_come_and_go(profile: str, resource: ResourceType, attribute: Attribute, open_chain: OpenChain) -> None:
    subject = ListSubject(open_chain(profile), resource, attribute)
    subject.chain.apply(subject.text(None))
    assert subject.held() == set()
    subject.applies(subject.text([0]), subject.gives(0))
    assert subject.held() == {subject.name(0)}
    subject.applies(subject.text([1, 0]), subject.gives(1))
    subject.applies(subject.text([2, 1]), subject.gives(2), subject.takes(0))
    assert subject.held() == {subject.name(1), subject.name(2)}
    subject.applies(subject.text([1, 2]))
    subject.applies(subject.text([]), subject.takes(1), subject.takes(2))
    assert subject.held() == set()
    subject.applies(subject.text([1]), subject.gives(1))
    # access goes with its line; what gives no access stays
    lost = [subject.takes(1)] if attribute.access else []
    subject.applies(subject.text(None), *lost)
    assert subject.held() == (set() if lost else {subject.name(1)})


@each_list
def test_items_that_others_give_and_take(
    profile: str, resource: ResourceType, attribute: Attribute, open_chain: OpenChain
) -> None:
    subject = ListSubject(open_chain(profile), resource, attribute)
    text = subject.text([0, 1])
    subject.chain.apply(text)
    subject.elsewhere("remove", 0)
    subject.drifts(text, subject.gives(0))
    assert subject.held() == {subject.name(0), subject.name(1)}
    subject.elsewhere("add", 2)
    # what others give stays in an additive list, and shows as drift in any other
    subject.drifts(text, *([] if subject.additive else [subject.takes(2)]))
    assert subject.held() == {subject.name(each) for each in ((0, 1, 2) if subject.additive else (0, 1))}


CREATED = [each for each in LISTS if each[:2] != ("genesys", ResourceType.GROUP)]


@pytest.mark.parametrize(
    ("profile", "resource", "attribute"), CREATED, ids=[f"{profile}-{each.name}" for profile, _, each in CREATED]
)
def test_created_with_items(profile: str, resource: ResourceType, attribute: Attribute, open_chain: OpenChain) -> None:
    subject = ListSubject(open_chain(profile), resource, attribute)
    text = subject.text([2, 0])
    if subject.of_group:
        subject.login = "Team 2"
        text = text.replace('"Team"', '"Team 2"')
    found = [each for each in differences(subject.chain.apply(text).changes) if each.item is not None]
    assert {(each.path, each.op) for each in found} == {(subject.path, PatchOp.ADD)}
    assert subject.held() == {subject.name(0), subject.name(2)}


@each_list
def test_without_a_line_nothing_is_compared(
    profile: str, resource: ResourceType, attribute: Attribute, open_chain: OpenChain
) -> None:
    subject = ListSubject(open_chain(profile), resource, attribute)
    text = subject.text(None)
    subject.chain.apply(text)
    subject.elsewhere("add", 0)
    subject.drifts(text)
    assert subject.held() == {subject.name(0)}


@pytest.mark.parametrize(
    ("profile", "resource", "attribute"),
    [each for each in LISTS if each[2].kind is Kind.LEVELS],
    ids=[each.name for _, _, each in LISTS if each.kind is Kind.LEVELS],
)
def test_levels(profile: str, resource: ResourceType, attribute: Attribute, open_chain: OpenChain) -> None:
    subject = ListSubject(open_chain(profile), resource, attribute)
    level = f'{subject.path}[{attribute.key} eq "One"].{attribute.value}'

    def held() -> Any:
        (found,) = subject.chain.stored(subject.login)[attribute.schema][attribute.name]
        return found.get(attribute.value)

    (given,) = differences(
        [each for each in subject.chain.apply(subject.text([0], level=3)).changes if each.address.key == "ann"]
    )[-1:]
    assert (given.path, given.item, given.after) == (subject.path, "One", 3)
    subject.applies(subject.text([0], level=3.5), (level, PatchOp.REPLACE, None))
    assert held() == 3.5
    subject.chain.elsewhere(subject.login, {"op": "replace", "path": level, "value": 5.0})
    subject.drifts(subject.text([0], level=3.5), (level, PatchOp.REPLACE, None))
    assert held() == 3.5
    subject.chain.elsewhere(subject.login, {"op": "remove", "path": level})
    subject.drifts(subject.text([0], level=3.5), (level, PatchOp.ADD, None))
    assert held() == 3.5
