"""Whatever requests fail, and however: only what needs them is left, all of it, and the next fair run makes it good."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying.memberships import is_member_delta
from reconciler.model import Failed, NotTried, PatchResource, Plan, Result, Skipped, Succeeded
from tests.properties.bystanders import Ledger
from tests.properties.drawn_lines import KEYS, Declarations, declarations, login_of
from tests.properties.drawn_servers import Population, populations
from tests.properties.effort import examples
from tests.properties.meaning import meaning
from tests.properties.stage import Run, Stage, Stored, Trouble, Weather, staged

WORDS = tuple(f'"{login_of(each)}"' for each in KEYS)
WORDS += ("new.", "title", "roles", "active", "l-0", "l-1", "l-2", "g-0", "/Groups", "POST", "DELETE")


@st.composite
def weathers(draw: st.DrawFn) -> Weather:
    """A few writes that fail, by their place or by what is in them."""
    troubles = st.sampled_from(Trouble)
    at = draw(st.dictionaries(st.integers(1, 9), troubles, max_size=4))
    for_good = draw(st.dictionaries(st.sampled_from(WORDS), troubles, max_size=2))
    return Weather(at, for_good)


@st.composite
def handed_on(draw: st.DrawFn, first: Declarations, drawn: st.SearchStrategy[Declarations]) -> Declarations:
    """Declarations by which one person may take the login that another one gives up."""
    said = draw(drawn)
    there = [key for key, lines in first.users.items() if "targets" not in lines]
    people = [key for key, lines in said.users.items() if key in there and "targets" not in lines]
    if len(people) > 1 and draw(st.booleans()):
        gives, takes = people[:2]
        # with another number as well she would look like another person, and keep the login
        said.users[gives].pop("employeeNumber", None)
        said.users[gives]["userName"] = f"new.{login_of(gives)}"
        said.users[takes]["userName"] = login_of(gives)
    return said


@pytest.mark.parametrize("organisation", ["rfc", "rfc-strict", "genesys"])
@examples(8)
@given(data=st.data())
def test_a_failure_takes_its_dependents_only_and_is_made_good(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then, weather = data.draw(handed_on(first, declarations(organisation, released=True))), data.draw(weathers())
    undisturbed = ends(organisation, found, first, then)
    with staged(organisation) as stage:
        begin(stage, found, first, then)
        wanted = meaning(then, organisation, stage.today)
        ledger = Ledger(organisation)
        ledger.note(meaning(first, organisation, stage.today), stage.stored(), ended=True)
        applied = stage.apply(Run(weather=weather, accepted=empty(stage)))
        assert applied.outcome is not None
        assert not applied.outcome.troubles
        assert not [each for each in applied.outcome.unverified if each.code == "not-kept"]
        accounted_for(applied.shown.plan, applied.results, weather)
        assert not ledger.offences(applied.before, applied.after, wanted, stage.today, drift=False)
        again(stage)
        assert by_name(stage.stored()) == undisturbed


def again(stage: Stage) -> None:
    """The next run does what the plan shows, all of it and no more; two of them where somebody is deleted late."""
    for _ in range(2):
        left = stage.plan().plan
        applied = stage.apply(Run(accepted=empty(stage)))
        assert all(isinstance(each, Succeeded) for each in applied.results), applied.results
        changed = {
            each
            for each in applied.before.keys() | applied.after.keys()
            if applied.before.get(each) != applied.after.get(each)
        }
        touched = {each.live_id for each in left.changes if each.live_id is not None}
        made = {each for each in changed if each not in applied.before}
        assert touched <= changed, "a change that the plan showed changed nothing"
        assert len(made) == sum(1 for each in left.changes if each.live_id is None)
    assert stage.plan().plan.changes == ()


def accounted_for(plan: Plan, results: tuple[Result, ...], weather: Weather) -> None:
    """Every operation has one end, and who is skipped or not tried has a reason."""
    assert [each.number for each in results] == [each.number for each in plan.operations]
    ended: dict[int, Result] = {}
    for operation, result in zip(plan.operations, results, strict=True):
        ended[result.number] = result
        needs = [ended[each] for each in operation.depends_on]
        failed = [each for each in needs if not isinstance(each, Succeeded)]
        match result:
            case Skipped(because=because):
                assert because in [each.number for each in failed]
            case Succeeded() | Failed():
                chunk = isinstance(operation, PatchResource) and is_member_delta(operation.operations)
                assert chunk or not failed
            case NotTried():
                assert weather.unanswered >= 3
    tried = [not isinstance(each, NotTried) for each in results]
    assert tried == sorted(tried, reverse=True), "something was tried after the run had ended"


def begin(stage: Stage, found: Population, first: Declarations, then: Declarations) -> None:
    found.settle_in(stage.provider.service)
    stage.declare(first.files())
    stage.apply()
    stage.declare(then.files())


def ends(organisation: str, found: Population, first: Declarations, then: Declarations) -> object:
    """What the organisation holds in the end where nothing fails."""
    with staged(organisation) as stage:
        begin(stage, found, first, then)
        for _ in range(2):
            stage.apply(Run(accepted=empty(stage)))
        return by_name(stage.stored())


def empty(stage: Stage) -> frozenset[str]:
    """The acceptance of declarations that name nobody, which are drawn, too."""
    violations = stage.plan().plan.violations
    return frozenset(f"{each.rule}@{each.digest}" for each in violations if each.rule == "empty-source")


def by_name(stored: Stored) -> object:
    """What is stored, with names in the place of ids and every list in one order."""
    names = {live_id: each.get("userName") or each["displayName"] for live_id, each in stored.items()}

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: named(each) for name, each in value.items()}
        if isinstance(value, list):
            return sorted((named(each) for each in value), key=str)
        return names.get(value, value) if isinstance(value, str) else value

    return sorted((named(each) for each in stored.values()), key=str)
