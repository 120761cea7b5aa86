"""A saved plan over random declarations and organisations: broken off or refused in part, it goes on.

Whatever happened, nothing is done that the file does not hold; and once all of it went well nothing is left of it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StalePlan
from reconciler.model import Succeeded
from reconciler.project import open_project
from reconciler.reconcile import Reconciliation
from reconciler.running.applies import Outcome, apply_target
from reconciler.running.run import Options
from reconciler.saved.binding import bound
from reconciler.saved.file import SavedPlan, dump_saved, load_saved
from reconciler.saved.judging import ids_given
from reconciler.saved.narrowing import cut_to
from reconciler.saved.parts import parts_of, paths_of, same_part
from tests.properties.drawn_lines import declarations
from tests.properties.drawn_servers import populations
from tests.properties.effort import examples
from tests.properties.stage import Run, Stage, staged
from tests.properties.test_failures import begin, empty, weathers

ORGANISATIONS = ["rfc", "rfc-strict", "genesys"]


def saved(stage: Stage) -> SavedPlan:
    project = open_project(stage.folder, None, None)
    file = bound(project, project.target(None), stage.plan())
    again = load_saved(dump_saved(file), "plan.json")
    assert again == file
    return again


def apply_file(stage: Stage, file: SavedPlan) -> Outcome | list[str] | None:
    """What has moved if it is stale, and then nothing was written."""
    before = stage.stored()

    def narrow(now: Reconciliation) -> Reconciliation:
        left = cut_to(file, "plan.json", now).reconciliation
        ids = ids_given(file.plan, now.situation)
        then = parts_of(file.plan.changes, ids)
        assert all(key in then and same_part(then[key], each, ids) for key, each in parts_of(left.plan.changes).items())
        return left

    options = Options(today=stage.today, accepted=empty(stage), read=paths_of(file.plan.changes))
    try:
        return apply_target(open_project(stage.folder, None, None), options, confirm=lambda each: True, narrow=narrow)
    except StalePlan as stale:
        found = [f"{each.address}: {each.summary}" for each in stale.diagnostics]
    assert stage.stored() == before
    return found


def went_well(outcome: Outcome) -> bool:
    return not outcome.unverified and all(isinstance(each, Succeeded) for each in outcome.results)


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(6)
@given(data=st.data())
def test_once_and_then_nothing_is_left(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then = data.draw(declarations(organisation, released=True))
    with staged(organisation) as stage:
        begin(stage, found, first, then)
        file = saved(stage)
        outcome = apply_file(stage, file)
        assert isinstance(outcome, Outcome), outcome
        assert outcome.reconciliation.plan.operations == file.plan.operations
        if went_well(outcome):
            again = apply_file(stage, file)
            assert isinstance(again, Outcome), again
            assert again.reconciliation.plan.changes == ()


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(6)
@given(data=st.data())
def test_after_a_failing_run_it_goes_on(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then, weather = data.draw(declarations(organisation, released=True)), data.draw(weathers())
    dies = data.draw(st.none() | st.integers(1, 6))
    with staged(organisation) as stage:
        begin(stage, found, first, then)
        file = saved(stage)
        stage.apply(Run(weather=weather, dies_after=dies, accepted=empty(stage)))
        outcome = apply_file(stage, file)
        assert isinstance(outcome, Outcome), outcome
        if went_well(outcome):
            again = apply_file(stage, file)
            assert isinstance(again, Outcome), again
            assert again.reconciliation.plan.changes == ()
