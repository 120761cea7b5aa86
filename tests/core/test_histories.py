"""Random histories, after every step of which the properties of the ledger must hold.

HISTORIES=N runs N of them instead of the usual few.
"""

import copy
import os

import pytest

from reconciler.model import AppliedState
from tests.core.history import STEPS, History, a_moment
from tests.core.world import Fault, Run, Server

HISTORIES = int(os.environ.get("HISTORIES", "60"))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_the_properties_hold_through_a_random_history(seed) -> None:
    history = History.begin(seed)
    for _ in range(STEPS):
        history.step()
    for _ in range(2):
        history.run(history.parties[0], Run())


@pytest.mark.parametrize("seed", range(max(1, HISTORIES // 3)))
def test_two_repositories_leave_each_others_people_alone(seed) -> None:
    history = History.begin(100_000 + seed, parties=2)
    for _ in range(STEPS):
        history.step()
    for party in history.parties:
        history.run(party, Run())


def ended(history: History, *runs: Run) -> tuple[object, object]:
    """What the server holds and what is remembered after some runs and an undisturbed one, in a copy of the world."""
    world = copy.deepcopy(history)
    repository = world.parties[0].repository
    for run in (*runs, Run()):
        repository.apply(world.server, run)
    return world.server.snapshot(), remembered(repository.record, world.server)


def remembered(record: AppliedState, server: Server) -> object:
    """The record with names instead of ids: two worlds may have given ids in another order."""
    names = {live_id: each.name for live_id, each in server.accounts.items()}
    entries = []
    for address, entry in record.resources.items():
        lists = {
            name: (held.mode, {names.get(item, item): how for item, how in held.items.items()})
            for name, held in entry.lists.items()
        }
        values = {path: names.get(str(value), value) for path, value in entry.values.items()}
        entries.append(
            (address, names.get(str(entry.live_id)), values, lists, entry.dates, bool(entry.pending), entry.seen)
        )
    return record.whole, entries


@pytest.mark.parametrize("seed", range(max(1, HISTORIES // 5)))
def test_stopping_anywhere_and_running_again_ends_where_an_undisturbed_run_ends(seed) -> None:
    history = a_moment(seed)
    undisturbed = ended(history)
    numbers = [each.number for each in history.parties[0].repository.plan(history.server).plan.operations]
    for number in (0, *numbers):
        assert ended(history, Run(dies_after=number)) == undisturbed, f"died after {number}"
        assert ended(history, Run(dies_after=number), Run(dies_after=number)) == undisturbed, (
            f"died twice after {number}"
        )
    for number in numbers:
        lost = Run(dies_after=number, faults={number: Fault.ANSWER_LOST})
        assert ended(history, lost) == undisturbed, f"died after {number}, whose answer was lost"
        for fault in (Fault.FAILS, Fault.ANSWER_LOST, Fault.REQUEST_LOST):
            assert ended(history, Run(faults={number: fault})) == undisturbed, f"{number}: {fault}"
    assert ended(history, Run(final=False)) == undisturbed, "the last record was not written"
    assert ended(history, Run()) == undisturbed, "a second run"
