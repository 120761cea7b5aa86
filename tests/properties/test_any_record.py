"""No record whatever, empty, damaged, another target's or forged, takes from anybody what it does not prove."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.errors import RecordTrouble
from reconciler.model import Address, AppliedItem, AppliedList, AppliedResource, AppliedState, ListMode, ResourceType
from reconciler.planfile import digest
from tests.properties.bystanders import Ledger, members
from tests.properties.drawn_lines import STRANGERS, Declarations, declarations
from tests.properties.drawn_servers import populations
from tests.properties.effort import examples
from tests.properties.git_stage import staged_in_git
from tests.properties.meaning import meaning
from tests.properties.stage import Run, Stage, Stored, staged
from tests.properties.witness import roles_of

ORGANISATIONS = ("rfc", "genesys")
NEVER = "00000000000000000000000000000000deadbeef"


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(8)
@given(data=st.data())
def test_without_a_record_nothing_is_taken_that_no_line_names(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation, twins=True)), data.draw(declarations(organisation))
    then = data.draw(declarations(organisation))
    with staged(organisation) as stage:
        found.settle_in(stage.provider.service)
        stage.declare(first.files())
        stage.apply()
        stage.put_record(None)
        knows_nothing = Ledger(organisation)
        stage.declare(then.files())
        applied = stage.apply()
        wanted = meaning(then, organisation, stage.today)
        assert not applied.shown.plan.violations
        assert not knows_nothing.offences(applied.before, applied.after, wanted, stage.today, drift=False)


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(8)
@given(data=st.data())
def test_a_record_that_cannot_be_used_is_not_believed_in_part(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then = data.draw(declarations(organisation))
    with staged(organisation) as stage:
        found.settle_in(stage.provider.service)
        stage.declare(first.files())
        stage.apply()
        stage.declare(then.files())
        spoil(stage, data.draw(st.sampled_from(SPOILS)), data.draw(st.integers(0, 9)))
        before = stage.stored()
        with pytest.raises(RecordTrouble):
            stage.apply()
        planned = stage.plan().plan
        assert stage.stored() == before
        assert any(each.code == "record-unusable" for each in planned.notices)
        stage.put_record(None)
        assert digest(stage.plan().plan) == digest(planned), "it was believed in part"


def spoil(stage: Stage, how: str, number: int) -> None:
    """Damage the files of the record, as a disk, a person or a hostile hand would."""
    files = sorted(each for each in stage.record.rglob("*.json*") if each.name not in ("report.json", "lock"))
    kept = [each for each in files if each.name != "current.json"]
    file = kept[number % len(kept)]
    content = file.read_bytes()
    match how:
        case "cut off":
            file.write_bytes(content[: len(content) // 2])
        case "gone":
            file.unlink()
        case "noise":
            file.write_bytes(bytes(each ^ 0x5A for each in content))
        case "doubled":
            file.write_bytes(content + content)
        case "another target's":
            header = next(each for each in files if each.name == "header.json")
            document = json.loads(header.read_bytes())
            header.write_text(json.dumps({**document, "target": "there"}))


SPOILS = ("cut off", "gone", "noise", "doubled", "another target's")


# --- forged


@st.composite
def forgeries(draw: st.DrawFn, stored: Stored, first: Declarations, then: Declarations, commits: list[str]):
    """Entries of keys that nobody declares now, each pointing at somebody who was never declared."""
    names = ["zoe", "mallory", *first.users, "tier-9", *first.groups]
    strange = sorted(
        (each.get("userName") or each["displayName"], live_id)
        for live_id, each in stored.items()
        if (each.get("userName") in STRANGERS) or each.get("displayName") in ("Strange", "Root Account", "Break Glass")
    )
    found = []
    for key in draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3)):
        _, live_id = draw(st.sampled_from(strange))
        kind = ResourceType.USER if "userName" in stored[live_id] else ResourceType.GROUP
        if key in then.users or key in then.groups:
            continue
        name = "members" if kind is ResourceType.GROUP else "roles"
        items = members(stored[live_id]) if kind is ResourceType.GROUP else roles_of(stored[live_id])
        claims = AppliedList(mode=ListMode.AUTHORITATIVE, items=dict.fromkeys(items, AppliedItem()))
        found.append(
            AppliedResource(
                address=Address(kind, key),
                live_id=live_id,
                source=draw(st.sampled_from([*commits, NEVER, None, "--all"])),
                values={"active": True},
                lists={name: claims} if items else {},
            )
        )
    return found


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@examples(4)
@given(data=st.data())
def test_a_forged_record_touches_nobody_who_was_never_declared(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then = data.draw(declarations(organisation))
    with staged_in_git(organisation) as stage:
        found.settle_in(stage.provider.service)
        stage.declare(first.files())
        stage.apply()
        earlier = stage.head
        ledger = Ledger(organisation)
        ledger.note(meaning(first, organisation, stage.today), stage.stored(), ended=True)
        stage.declare(then.files())
        forged = data.draw(forgeries(stage.stored(), first, then, [earlier, stage.head]))
        stage.forge(adding(forged))
        applied = stage.apply(Run(accepted=stage.to_accept()))
        wanted = meaning(then, organisation, stage.today)
        assert not applied.shown.plan.violations
        assert not ledger.offences(applied.before, applied.after, wanted, stage.today, drift=False)
        named = {each.address for each in applied.shown.plan.refused if each.code == "removal-not-proved"}
        active = {each.address for each in forged if loses_something(each, applied.before)}
        assert active <= named, "somebody who would have lost something is not named"


def adding(forged: list[AppliedResource]) -> Callable[[AppliedState], AppliedState]:
    return lambda state: replace(
        state, whole=True, resources={**state.resources, **{each.address: each for each in forged}}
    )


def loses_something(forged: AppliedResource, stored: Stored) -> bool:
    there = stored[str(forged.live_id)]
    return there.get("active") is not False if "userName" in there else bool(members(there))
