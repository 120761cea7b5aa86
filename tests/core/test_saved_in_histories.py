"""A plan that was saved somewhere in a random history, and what an apply makes of it later.

HISTORIES=N takes as many moments as for the other histories.
"""

import copy
import os

import pytest
from msgspec.structs import replace

from reconciler.errors import StalePlan
from reconciler.model import Plan
from reconciler.reconcile import Reconciliation
from reconciler.saved.comparing import compare_plans
from reconciler.saved.file import Binding, SavedPlan
from reconciler.saved.judging import Stage, ids_given, judge
from reconciler.saved.narrowing import Fit, cut_to
from reconciler.saved.parts import parts_of, same_part
from reconciler.saved.reviewing import beyond_review
from reconciler.saved.splitting import encoded, split, split_in
from tests.core.edits import change_something
from tests.core.history import History, a_moment
from tests.core.world import Fault, Run

MOMENTS = max(1, int(os.environ.get("HISTORIES", "60")) // 3)


def planned(history: History) -> Reconciliation:
    return history.parties[0].repository.plan(history.server)


def saved(now: Reconciliation) -> SavedPlan:
    return SavedPlan(plan=now.plan, binding=Binding(url="", day="2026-06-15", made="", files={}))


def cut(file: SavedPlan, history: History) -> Fit:
    return cut_to(file, "plan.json", planned(history))


def is_part(left: Reconciliation, of: Plan) -> bool:
    """Whether everything that is left stands in the plan, as it is."""
    ids = ids_given(of, left.situation)
    then = parts_of(of.changes, ids)
    return all(key in then and same_part(then[key], part, ids) for key, part in parts_of(left.plan.changes).items())


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_right_away_all_of_it_is_left(seed: int) -> None:
    history = a_moment(seed)
    now = planned(history)
    fit = cut(saved(now), history)
    assert fit.reconciliation.plan == now.plan
    assert (fit.done, fit.more) == (0, 0)
    assert {each.stage for each in judge(now.plan, now.situation).values()} <= {Stage.TO_DO}
    assert not compare_plans(now.plan, now.plan)
    assert beyond_review(now.plan, now) is None


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_after_a_run_that_ended_nothing_is_left(seed: int) -> None:
    history = a_moment(seed)
    file = saved(planned(history))
    ran = history.parties[0].repository.apply(history.server, Run())
    fit = cut(file, history)
    assert fit.reconciliation.plan.changes == () or not ran.clean
    assert is_part(fit.reconciliation, file.plan)


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_broken_off_anywhere_it_goes_on_to_the_same_end(seed: int) -> None:
    history = a_moment(seed)
    file = saved(planned(history))
    whole = copy.deepcopy(history)
    whole.parties[0].repository.apply(whole.server, Run())
    numbers = [each.number for each in file.plan.operations]
    runs = [Run(dies_after=number) for number in (0, *numbers)]
    runs += [Run(dies_after=number, faults={number: Fault.ANSWER_LOST}) for number in numbers]
    for run in runs:
        world = copy.deepcopy(history)
        world.parties[0].repository.apply(world.server, run)
        fit = cut(file, world)
        assert is_part(fit.reconciliation, file.plan), run
        # nobody else was at work, so what is left of the file is what a run would do by itself
        assert fit.more == 0, run
        assert fit.reconciliation.plan.changes == planned(world).plan.changes, run
        assert beyond_review(file.plan, planned(world)) is None, run
        world.parties[0].repository.apply(world.server, Run())
        assert world.server.snapshot() == whole.server.snapshot(), run
        assert cut(file, world).reconciliation.plan.changes == (), run


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_whatever_others_do_it_never_grows(seed: int) -> None:
    """It is stale, or what is left of it is a part of it, from which only what is in place may be missing."""
    history = a_moment(seed)
    file = saved(planned(history))
    for _ in range(8):
        history.others()
        now = planned(history)
        try:
            fit = cut_to(file, "plan.json", now)
        except StalePlan:
            continue
        assert is_part(fit.reconciliation, file.plan)
        left = parts_of(fit.reconciliation.plan.changes)
        for key, each in judge(file.plan, now.situation).items():
            assert each.stage is not Stage.MOVED
            assert (key in left) is (each.stage is Stage.TO_DO)


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_plan_of_other_lines_is_not_the_reviewed_one(seed: int) -> None:
    """Whatever a new plan has beyond the reviewed one is told, and so is what it lacks and is not in place."""
    history = a_moment(seed)
    reviewed = planned(history).plan
    party = history.parties[0]
    for number in range(history.random.randint(0, 5)):
        if history.random.random() < 0.5:
            history.others()
        else:
            change_something(party.declarations, party.commits, history.random)
        if history.random.random() < 0.3:
            party.repository.apply(history.server, Run(dies_after=number))
    now = planned(history)
    difference = beyond_review(reviewed, now)
    if difference is None:
        assert is_part(now, reviewed)
        stages = {
            each.stage for key, each in judge(reviewed, now.situation).items() if key not in parts_of(now.plan.changes)
        }
        assert stages <= {Stage.DONE}
    else:
        assert replace(now.plan, notices=(), commit=None) != replace(reviewed, notices=(), commit=None)


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_plan_is_divided_without_loss(seed: int) -> None:
    """By what earlier lines would do: each part stands on one side, and on which can be written down and read."""
    history = a_moment(seed)
    party = history.parties[0]
    before = planned(history)
    for _ in range(history.random.randint(0, 2)):
        change_something(party.declarations, party.commits, history.random)
    now = planned(history)
    found = split(now, before.plan, "main", "c1")
    sides = [parts_of(found.here), parts_of(found.earlier)]
    assert not sides[0].keys() & sides[1].keys()
    assert sides[0].keys() | sides[1].keys() == parts_of(now.plan.changes).keys()
    theirs = parts_of(before.plan.changes)
    assert all(same_part(part, theirs[key]) for key, part in sides[1].items())
    again = split_in({"base": encoded(found)}, now.plan)
    assert again is not None
    assert [each.attribute_changes for each in again.here] == [each.attribute_changes for each in found.here]
    assert [each.attribute_changes for each in again.earlier] == [each.attribute_changes for each in found.earlier]
    assert split(before, before.plan, "main", "c1").here == ()
