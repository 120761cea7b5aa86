"""What holds for every plan: nobody's order matters, and a plan that was carried out is empty afterwards."""

import copy
import os
from random import Random

import pytest
from msgspec.structs import replace

from reconciler.model import AppliedState, CreateResource, DesiredList, DesiredState, LiveState
from reconciler.planfile import digest
from reconciler.reconcile import Context, reconcile
from tests.core.history import a_moment
from tests.core.world import Run

PLANS = max(1, int(os.environ.get("HISTORIES", "60")) // 3)


def shuffled(values, random: Random) -> dict:
    items = list(values.items())
    random.shuffle(items)
    return dict(items)


def shuffled_desired(desired: DesiredState, random: Random) -> DesiredState:
    def lists(each: DesiredList) -> DesiredList:
        return replace(each, items=shuffled(each.items, random), expired=shuffled(each.expired, random))

    resources = {
        address: replace(
            each,
            attributes=shuffled(each.attributes, random),
            lists={name: lists(held) for name, held in shuffled(each.lists, random).items()},
        )
        for address, each in shuffled(desired.resources, random).items()
    }
    return replace(desired, resources=resources)


def shuffled_live(live: LiveState, random: Random) -> LiveState:
    resources = {
        live_id: replace(
            each,
            attributes=shuffled(each.attributes, random),
            lists={name: shuffled(held, random) for name, held in shuffled(each.lists, random).items()},
        )
        for live_id, each in shuffled(live.resources, random).items()
    }
    return replace(live, resources=resources)


def shuffled_record(record: AppliedState, random: Random) -> AppliedState:
    resources = {
        address: replace(
            each,
            values=shuffled(each.values, random),
            lists={name: replace(held, items=shuffled(held.items, random)) for name, held in each.lists.items()},
        )
        for address, each in shuffled(record.resources, random).items()
    }
    return replace(record, resources=resources)


@pytest.mark.parametrize("seed", range(PLANS))
def test_the_order_of_nothing_that_is_read_makes_a_difference(seed) -> None:
    history = a_moment(seed)
    repository, random = history.parties[0].repository, Random(seed)
    desired, live, context = repository.declared(), history.server.live(), Context(target="t", commit="c")
    situation = repository.plan(history.server).situation
    plan = reconcile(desired, live, repository.record, situation.profile, repository.policy, context).plan
    again = reconcile(
        shuffled_desired(desired, random),
        shuffled_live(live, random),
        shuffled_record(repository.record, random),
        situation.profile,
        repository.policy,
        context,
    ).plan
    assert again == plan
    assert digest(again) == digest(plan)


@pytest.mark.parametrize("seed", range(PLANS))
def test_a_plan_that_was_carried_out_leaves_drift_only_and_nothing_to_record(seed) -> None:
    history = a_moment(seed)
    party = history.parties[0]
    if not party.repository.apply(history.server).clean:
        return
    record = copy.deepcopy(party.repository.record)
    second = party.repository.apply(history.server)
    assert second.planned.plan.changes == ()
    assert party.repository.record == record


@pytest.mark.parametrize("seed", range(PLANS))
def test_operations_name_only_what_is_declared_or_ours_and_wait_only_for_earlier_ones(seed) -> None:
    history = a_moment(seed)
    reconciliation = history.parties[0].repository.plan(history.server, drift=True)
    situation, changes = reconciliation.situation, {each.address: each for each in reconciliation.plan.changes}
    ours = {each.live_id for each in situation.applied.resources.values()} | situation.matches.address_of.keys()
    for place, operation in enumerate(reconciliation.plan.operations, start=1):
        assert operation.number == place
        assert all(number < place for number in operation.depends_on)
        change = changes[operation.address]
        if not isinstance(operation, CreateResource) and change.live_id is not None:
            assert operation.live_id == change.live_id
            assert operation.live_id in ours - situation.matches.frozen


def test_a_person_s_run_puts_drift_right() -> None:
    """With `--drift` nothing is left, but for what is refused."""
    for seed in range(10):
        history = a_moment(seed)
        party = history.parties[0]
        if party.repository.apply(history.server, Run(drift=True)).clean:
            left = party.repository.plan(history.server, drift=True).plan
            assert (left.changes, left.drift) == ((), ())
