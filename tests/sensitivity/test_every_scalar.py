"""One value, one change: every attribute that can be declared, set, changed and cleared in YAML and on the server.

Each step must give exactly one change of exactly that attribute; after an apply the server's own store holds it, and
the next plan is empty.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.model import Cause, PatchOp, ResourceType
from tests.sensitivity.cases import PEOPLE, Case, acme_cases, resolved, scalar_cases
from tests.sensitivity.chain import Chain, RefusedLines, declared, differences

CASES = [*scalar_cases("rfc"), *scalar_cases("genesys"), *acme_cases("rfc"), *acme_cases("genesys")]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
OpenChain = Callable[..., Chain]


class Subject:
    """The user or group that a case is about, and its place."""

    def __init__(self, case: Case, chain: Chain) -> None:
        self.case = case
        self.chain = chain
        self.login = "ann@x.example" if case.resource is ResourceType.USER else "Team"

    def text(self, lines: Mapping[str, Any]) -> str:
        people = {key: {**each, "displayName": key.title()} for key, each in self.referred.items()}
        if self.case.resource is ResourceType.GROUP:
            return declared(people, {"team": {"displayName": "Team", **lines}})
        named = {} if self.case.attribute == "displayName" else {"displayName": "Ann"}
        return declared({"ann": {"userName": "ann@x.example", **named, **lines}, **people})

    @property
    def referred(self) -> Mapping[str, Mapping[str, str]]:
        """The people whom the values name, by key."""
        return PEOPLE if str(self.case.values[0].plan).startswith("@") else {}

    @property
    def without(self) -> str:
        """Declarations without a line about the place."""
        around = self.case.around
        return self.text({name: value for name, value in around.items() if value})

    def with_value(self, value: Any) -> str:
        """Declarations with a value there."""
        return self.text(self.case.lines(value))

    def known(self, value: Any) -> Any:
        ids = {key: self.chain.stored(str(each["userName"]))["id"] for key, each in self.referred.items()}
        return resolved(value, ids)

    def stored(self) -> Any:
        return self.case.found_in(self.chain.stored(self.login))

    def follow(self) -> None:
        """Where the place is the name itself, look under the new one."""
        if self.case.attribute == ("userName" if self.case.resource is ResourceType.USER else "displayName"):
            self.login = next(
                each.plan
                for each in self.case.values
                if any(found[self.case.attribute] == each.plan for found in self._all())
            )

    def _all(self) -> list[dict[str, Any]]:
        return self.chain.service.dump()["User" if self.case.resource is ResourceType.USER else "Group"]

    # --- steps

    def applies(self, text: str, op: PatchOp, after: Any, held: Any, cause: Cause = Cause.DECLARED) -> None:
        """The declarations give one change, from what is stored now; an apply brings it about."""
        applied = self.chain.apply(text, drift=cause is Cause.DRIFT)
        (found,) = differences(applied.changes)
        assert (found.path, found.op, found.item, found.cause) == (self.case.path, op, None, cause)
        assert found.after == self.known(after)
        assert (found.before is None) is (op is PatchOp.ADD)
        self.follow()
        assert self.stored() == self.known(held)

    def drifts(self, text: str, op: PatchOp, after: Any, held: Any, *operations: Mapping[str, Any]) -> None:
        """What others did gives one difference, is nothing that a plain apply touches, and can be put right."""
        self.chain.elsewhere(self.login, *(self.known(each) for each in operations))
        self.follow()
        moved = self.stored()
        plan = self.chain.plan(text).plan
        assert plan.changes == ()
        assert plan.operations == ()
        (found,) = differences(plan.drift)
        assert (found.path, found.op, found.item, found.cause) == (self.case.path, op, None, Cause.DRIFT)
        assert self.stored() == moved
        self.applies(text, op, after, held, Cause.DRIFT)


@each_case
def test_set_change_and_clear(case: Case, open_chain: OpenChain) -> None:
    subject = Subject(case, open_chain(case.profile, acme=case.acme))
    one, two, _ = case.values
    if case.required:
        subject.chain.apply(subject.with_value(one.yaml))
        subject.follow()
        assert subject.stored() == one.held
    else:
        subject.chain.apply(subject.without)
        # an organisation may give a value of its own, such as the division Home
        first = PatchOp.ADD if subject.stored() is None else PatchOp.REPLACE
        subject.applies(subject.with_value(one.yaml), first, one.plan, one.held)
    subject.applies(subject.with_value(two.yaml), PatchOp.REPLACE, two.plan, two.held)
    if case.required:
        with pytest.raises(RefusedLines):
            subject.chain.desired(subject.with_value(None))
        return
    subject.applies(subject.with_value(None), PatchOp.REMOVE, None, None)
    subject.applies(subject.with_value(one.yaml), PatchOp.ADD, one.plan, one.held)


@each_case
def test_drift(case: Case, open_chain: OpenChain) -> None:
    subject = Subject(case, open_chain(case.profile, acme=case.acme))
    one, _, three = case.values
    wanted = subject.with_value(one.yaml)
    subject.chain.apply(wanted)
    subject.follow()
    if case.acme and isinstance(three.held, dict):
        # replacing a complex value keeps what the operation does not name (RFC 7644 section 3.5.2.3)
        moved: list[dict[str, Any]] = [
            {"op": "remove", "path": case.path},
            {"op": "add", "path": case.path, "value": three.held},
        ]
    else:
        moved = [{"op": "replace", "path": case.path, "value": three.held}]
    subject.drifts(wanted, PatchOp.REPLACE, one.plan, one.held, *moved)
    if case.required:
        return
    subject.drifts(wanted, PatchOp.ADD, one.plan, one.held, {"op": "remove", "path": case.whole})
    cleared = subject.with_value(None)
    subject.chain.apply(cleared)
    subject.drifts(cleared, PatchOp.REMOVE, None, None, case.filled(three.held))


@pytest.mark.parametrize(
    "case", [each for each in CASES if (each.profile, each.resource) != ("genesys", ResourceType.GROUP)], ids=str
)
def test_created_with_it(case: Case, open_chain: OpenChain) -> None:
    chain = open_chain(case.profile, acme=case.acme)
    subject = Subject(case, chain)
    subject.login = "ann@x.example" if case.resource is ResourceType.USER else "Team 2"
    one = case.values[0]
    text = subject.with_value(one.yaml).replace('"Team"', '"Team 2"')
    applied = chain.apply(text)
    assert any(each.path == case.path and each.op is PatchOp.ADD for each in differences(applied.changes))
    subject.follow()
    assert subject.stored() == subject.known(one.held)


@pytest.mark.parametrize("case", [each for each in CASES if not each.required], ids=str)
def test_without_a_line_nothing_is_compared(case: Case, open_chain: OpenChain) -> None:
    chain = open_chain(case.profile, acme=case.acme)
    subject = Subject(case, chain)
    chain.apply(subject.without)
    chain.elsewhere(subject.login, subject.known(case.filled(case.values[0].held)))
    plan = chain.plan(subject.without).plan
    assert (plan.changes, plan.drift) == ((), ())
