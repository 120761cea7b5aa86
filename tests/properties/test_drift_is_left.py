"""What others do to lines that have not changed is left, whatever else a run has to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.bystanders import Ledger, is_active
from tests.properties.drawn_lines import Declarations
from tests.properties.effort import examples
from tests.properties.meaning import meaning
from tests.properties.stage import NO_LIMITS, Run, Stage, staged
from tests.properties.test_life import PATCH_OP, starts
from tests.properties.witness import Line, Witness


@pytest.mark.parametrize("organisation", ["rfc", "genesys"])
@examples(15)
@given(data=st.data())
def test_what_others_moved_is_left_by_a_run_that_is_about_other_lines(organisation: str, data: st.DataObject) -> None:
    said = data.draw(starts().filter(lambda each: each.users))
    with staged(organisation, NO_LIMITS) as stage:
        if organisation == "genesys":
            stage.provider.service.seed({"groups": [lines["displayName"] for lines in said.groups.values()]})
        witness = Witness(Ledger(organisation))
        run(stage, said, witness)
        moved = [line for line in sorted(witness.verified, key=str) if data.draw(st.booleans())]
        for line in moved:
            before = stage.stored()
            if move(stage, line):
                witness.others_moved(line, meaning(said, organisation, stage.today), before)
        for live_id, each in sorted(stage.stored().items()):
            if "userName" in each and is_active(each) and data.draw(st.booleans()):
                patch(stage, live_id, "replace", "active", value=False)
                witness.others_switched(live_id, meaning(said, organisation, stage.today), stage.stored(), active=False)
        for live_id in sorted({each[0] for each in witness.verified}):
            if "userName" in stage.stored()[live_id] and data.draw(st.integers(0, 3)) == 0:
                stage.ask("DELETE", f"/Users/{live_id}")
                witness.others_deleted(live_id, meaning(said, organisation, stage.today))
        for lines in said.users.values():
            lines["department"] = "Elsewhere"
        run(stage, said, witness)


def run(stage: Stage, said: Declarations, witness: Witness) -> None:
    """One apply of these declarations, and what the witness says of it."""
    stage.declare(said.files())
    applied = stage.apply(Run(accepted=stage.to_accept()))
    assert not applied.shown.plan.violations
    wanted = meaning(said, witness.ledger.organisation, stage.today)
    assert not list(witness.undone(applied.before, applied.after, wanted))
    assert not list(witness.comebacks(applied.before, applied.after, wanted, stage.today, drift=False))
    witness.ledger.note(wanted, applied.after, ended=True)
    witness.looked(wanted, applied.after, set())


def move(stage: Stage, line: Line) -> bool:
    """Somebody undoes what a line says; False where there is nothing to undo."""
    live_id, name, item = line
    if name == "title":
        return patch(stage, live_id, "replace", "title", value="Moved")
    return item is not None and patch(stage, live_id, "remove", f'{name}[value eq "{item}"]')


def patch(stage: Stage, live_id: str, op: str, path: str, value: object = None) -> bool:
    kind = "Users" if "userName" in stage.stored()[live_id] else "Groups"
    operation = {"op": op, "path": path} | ({} if value is None else {"value": value})
    return stage.ask("PATCH", f"/{kind}/{live_id}", {"schemas": [PATCH_OP], "Operations": [operation]}).status < 300
