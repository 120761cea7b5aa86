"""A world with everybody who acts in it: who changes lines, who works on the server by hand, days, runs and faults."""

import copy
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from msgspec.structs import replace

from reconciler.model import Removal, ResourceType
from tests.core.builders import NO_RECORD, OPEN
from tests.core.edits import BOSS, KEYS, ROLES, TITLES, Declarations, change_something
from tests.core.ledger import Ledger
from tests.core.world import OTHERS, Fault, Refused, Repository, Run, Server

STEPS = 30


@dataclass
class Party:
    """One repository with its declarations and its ledger."""

    declarations: Declarations
    repository: Repository
    ledger: Ledger
    commits: list[Declarations] = field(default_factory=list)


@dataclass
class History:
    """One world and everybody who acts in it."""

    random: Random
    server: Server
    parties: list[Party]

    @classmethod
    def begin(cls, seed: int, parties: int = 1) -> "History":
        random = Random(seed)
        server = Server(dangling=random.random() < 0.5)
        server.create(ResourceType.USER, {"userName": BOSS, "active": True}, OTHERS)
        made = []
        for number in range(parties):
            declarations = Declarations(date(2026, 6, 15))
            removal = random.choice((Removal.DEACTIVATE, Removal.DEACTIVATE, Removal.DEACTIVATE, Removal.DELETE))
            policy = replace(OPEN, removal_users=removal)
            repository = Repository(f"repository {number}", declarations.state, policy=policy)
            made.append(Party(declarations, repository, Ledger(repository, declarations)))
        return cls(random, server, made)

    def step(self) -> None:
        party = self.random.choice(self.parties)
        chance = self.random.random()
        if chance < 0.36:
            change_something(party.declarations, party.commits, self.random)
            party.repository.commit += 1
            party.ledger.lines_changed(self.server)
        elif chance < 0.56:
            self.others()
        elif chance < 0.64:
            for each in self.parties:
                each.declarations.today += timedelta(days=1)
                each.ledger.lines_changed(self.server)
        elif chance < 0.66:
            party.repository.record = NO_RECORD
            party.ledger.forget_record(self.server)
        else:
            self.run(party, self.a_run(party))

    def a_run(self, party: Party) -> Run:
        count = len(party.repository.plan(self.server).plan.operations)
        chance = self.random.random()
        if chance < 0.5:
            return Run()
        if chance < 0.56:
            return Run(drift=True)
        faults = {number: self.random.choice(list(Fault)) for number in range(1, count + 1)}
        if chance < 0.8:
            return Run(
                faults=faults if self.random.random() < 0.5 else {self.random.randint(1, count + 1): Fault.FAILS}
            )
        if chance < 0.9:
            return Run(faults=faults, dies_after=self.random.randint(0, count))
        return Run(faults=faults if self.random.random() < 0.5 else {}, final=False)

    def run(self, party: Party, run: Run) -> None:
        planned = party.repository.plan(self.server, drift=run.drift)
        party.ledger.check_plan(planned, self.server, drift=run.drift)
        ran = party.repository.apply(self.server, run)
        party.ledger.after_run(ran, self.server, finished=run.reaches_its_end)

    def others(self) -> None:
        """Somebody works on the server by hand."""
        random, server = self.random, self.server
        people = [live_id for live_id, each in server.accounts.items() if each.resource_type is ResourceType.USER]
        groups = [live_id for live_id, each in server.accounts.items() if each.resource_type is ResourceType.GROUP]
        live_id = random.choice(people)
        for party in self.parties:
            party.ledger.before_others(server, live_id)
        match random.randint(0, 9):
            case 0 | 1:
                server.set(live_id, "title", random.choice(TITLES), OTHERS)
            case 2:
                server.give(live_id, "roles", random.choice(ROLES), None, OTHERS)
            case 3:
                server.take(live_id, "roles", random.choice(ROLES), OTHERS)
            case 4 | 5:
                active = not server.accounts[live_id].active
                server.set(live_id, "active", active, OTHERS)
                for party in self.parties:
                    party.ledger.switched_by_others(server, live_id)
            case 6 if groups:
                server.give(random.choice(groups), "members", live_id, None, OTHERS)
            case 7 if groups:
                server.take(random.choice(groups), "members", live_id, OTHERS)
            case 8:
                self.come_or_go(live_id)
            case _:
                server.give(live_id, "skills", "Billing", random.randint(1, 5), OTHERS)

    def come_or_go(self, live_id: str) -> None:
        random, server = self.random, self.server
        login = f"{random.choice(KEYS)}{random.choice(('', '.new'))}@x.io"
        if server.accounts[live_id].name != BOSS and random.random() < 0.4:
            server.delete(live_id, OTHERS)
        elif random.random() < 0.15:
            twin = copy.deepcopy(server.accounts[live_id])
            server.last += 1
            twin.given = dict.fromkeys(twin.given, OTHERS)
            twin.made_by = OTHERS
            server.accounts[f"s{server.last}"] = twin
        else:
            try:
                server.create(ResourceType.USER, {"userName": login, "active": random.random() < 0.7}, OTHERS)
            except Refused:
                return


def a_moment(seed: int) -> History:
    """Somewhere in a history, with something to write."""
    history = History.begin(200_000 + seed)
    for _ in range(history.random.randint(6, STEPS)):
        history.step()
    for _ in range(20):
        if history.parties[0].repository.plan(history.server).plan.operations:
            break
        change_something(history.parties[0].declarations, history.parties[0].commits, history.random)
    return history
