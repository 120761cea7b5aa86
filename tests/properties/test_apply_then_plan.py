"""Whatever is declared, whatever is there: an apply does what it says, touches nobody else, and leaves nothing over."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Action, Plan, Succeeded
from reconciler.planfile import dump, load
from tests.properties.bystanders import Ledger, members
from tests.properties.drawn_lines import declarations
from tests.properties.drawn_servers import populations
from tests.properties.effort import examples
from tests.properties.meaning import Meaning, meaning, missing
from tests.properties.stage import Run, Stage, staged

ORGANISATIONS = ("rfc", "rfc-strict", "genesys")


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(8)
@given(data=st.data())
def test_apply_then_plan_is_empty(organisation: str, data: st.DataObject) -> None:
    found = data.draw(populations(organisation, twins=True))
    commits = [data.draw(declarations(organisation)), data.draw(declarations(organisation, released=True))]
    with staged(organisation) as stage:
        found.settle_in(stage.provider.service)
        ledger = Ledger(organisation)
        for said in commits:
            stage.declare(said.files(data.draw(st.integers(1, 3)), (0, 2, 1)))
            wanted = meaning(said, organisation, stage.today)
            brought_about(stage, wanted, ledger)
            brought_about(stage, wanted, ledger, drift=True)


def brought_about(stage: Stage, wanted: Meaning, ledger: Ledger, *, drift: bool = False) -> None:
    """Apply, judge what changed, and see that nothing is left."""
    one_run(stage, wanted, ledger, drift=drift)
    again = stage.plan().plan
    sound(again)
    assert again.changes == ()
    assert again.operations == ()
    if drift:
        assert again.drift == ()
        assert not list(lacking(stage, wanted, ledger, again))


def one_run(stage: Stage, wanted: Meaning, ledger: Ledger, *, drift: bool) -> None:
    planned = stage.plan(drift=drift).plan
    sound(planned)
    empty = {f"{each.rule}@{each.digest}" for each in planned.violations if each.rule == "empty-source"}
    applied = stage.apply(Run(drift=drift, accepted=frozenset(empty)))
    assert not applied.shown.plan.violations
    assert all(isinstance(each, Succeeded) for each in applied.results), applied.results
    assert applied.outcome is not None
    assert not applied.outcome.unverified
    assert not applied.outcome.troubles
    assert not ledger.offences(applied.before, applied.after, wanted, stage.today, drift=drift)
    ledger.note(wanted, applied.after, ended=True)


def sound(plan: Plan) -> None:
    """A plan can be saved and read, and its operations only wait for earlier ones."""
    assert load(dump(plan)) == plan
    numbers = [each.number for each in plan.operations]
    assert numbers == sorted(set(numbers))
    for each in plan.operations:
        assert all(number in numbers and number < each.number for number in each.depends_on)
    assert all(Action.CREATE not in each.actions or each.live_id is None for each in plan.changes)


def lacking(stage: Stage, wanted: Meaning, ledger: Ledger, plan: Plan) -> Iterator[str]:
    """Every declared value that is not in place, of everybody whom the plan does not refuse."""
    stored = stage.stored()
    refused = {str(each.address) for each in plan.refused}
    for key, person in wanted.people.items():
        if f"user.{key}" in refused or person.is_over(stage.today):
            continue
        found = ledger.accounts_of(f"user.{key}", wanted, stored)
        if len(found) != 1:
            yield f"user.{key} is {found or 'not there'}"
            continue
        here = stored[found.pop()]
        yield from (f"user.{key}: {each}" for each in missing(person, here, ledger.organisation))
        active = person.wanted_active(stage.today)
        if active is not None and active is not (here.get("active") is not False):
            yield f"user.{key}: active is not {active}"
    yield from _memberships(stage, wanted, ledger, plan)


def _memberships(stage: Stage, wanted: Meaning, ledger: Ledger, plan: Plan) -> Iterator[str]:
    """Members of exact groups who are not there though a line names them, or are though their last day is over."""
    stored, refused = stage.stored(), {str(each.address) for each in plan.refused}
    for key, team in wanted.teams.items():
        found = ledger.accounts_of(f"group.{key}", wanted, stored) if f"group.{key}" not in refused else set()
        for live_id in found if len(found) == 1 and not team.additive else ():
            for each, stays in team.members.items():
                who = ledger.member_ids(each, wanted, stored) & stored.keys()
                person = wanted.people.get(each.removeprefix("user."))
                over = person is not None and person.is_over(stage.today)
                known = len(who) == 1 and each not in refused and not over
                if known and stays is not (who <= members(stored[live_id])):
                    yield f"group.{key}: {each} is {'not ' if stays else ''}there"
