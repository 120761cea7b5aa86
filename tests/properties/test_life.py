"""The life of a repository and of an organisation, at random: who edits, who meddles, what gets lost, what fails.

After each step nothing may have changed that is not ours, no rail may be broken, nobody may be back who has no right
to be, and what a run could not do it must say. See `Witness` and `Ledger` for who judges.
"""

import copy
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reconciler.model import Failed, Plan, Succeeded
from reconciler.rendering.text import render_text
from reconciler.rendering.view import view
from tests.properties.bystanders import Ledger, is_active, members
from tests.properties.drawn_lines import KEYS, STRANGERS, TEAMS, Declarations, Lines, login_of, stays
from tests.properties.drawn_servers import Population, populations
from tests.properties.effort import examples
from tests.properties.meaning import Meaning, meaning
from tests.properties.stage import TODAY, Applied, Run, Stage, Trouble, Weather, staged
from tests.properties.test_apply_then_plan import lacking, sound
from tests.properties.witness import POLICY, PRIVILEGED, Witness, roles_of

ORGANISATIONS = ("rfc", "rfc-strict", "genesys")
CASE_EXACT = "genesys"
"""Where a login may be had twice, in two spellings."""
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ROLES = ("Agent", "Supervisor", PRIVILEGED)
TAKEN = 409
TITLES = ("One", "Two", None)
WORDS = ("ann", "bob", "title", "roles", "active", "/Groups", "POST", "DELETE")

keys, teams, strangers = st.sampled_from(KEYS), st.sampled_from(TEAMS), st.sampled_from(STRANGERS)
weathers = st.builds(
    Weather,
    st.dictionaries(st.integers(1, 6), st.sampled_from(Trouble), max_size=3),
    st.dictionaries(st.sampled_from(WORDS), st.sampled_from(Trouble), max_size=1),
)
worlds = st.sampled_from(ORGANISATIONS).flatmap(
    lambda each: st.tuples(st.just(each), populations(each, twins=True, most=0, alike=each == CASE_EXACT))
)
Json = Any


@st.composite
def memberships(draw: st.DrawFn, key: str) -> Json:
    """A line for a member: for good, or until a day that soon comes."""
    days = draw(st.sampled_from([None, None, 0, 1]))
    return key if days is None else {"user": key, "until": (TODAY + timedelta(days=days)).isoformat()}


@st.composite
def starts(draw: st.DrawFn) -> Declarations:
    """A few people and groups to begin with."""
    people = draw(st.lists(keys, unique=True, max_size=4))
    users = {}
    for key in people:
        title, roles = draw(st.sampled_from(TITLES)), draw(st.sets(st.sampled_from(ROLES), max_size=2))
        users[key] = {"userName": login_of(key), "displayName": key, "title": title, "roles": sorted(roles)}
        users[key] |= draw(stays())
    groups = {}
    for key in draw(st.lists(teams, unique=True, max_size=3)):
        members = (
            [draw(memberships(each)) for each in draw(st.lists(st.sampled_from(people), unique=True))] if people else []
        )
        additive = {"membership": "additive"} if draw(st.booleans()) else {}
        groups[key] = {"displayName": f"Team {key}", "members": members, **additive}
    return Declarations(users=users, groups=groups, released=[])


class Life(RuleBasedStateMachine):
    """One repository, one organisation, one record."""

    stage: Stage
    witness: Witness

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.said = Declarations(users={}, groups={}, released=[])
        self.commits: list[Declarations] = []
        self.records: list[tuple[object, Witness]] = []
        self.accepted: frozenset[str] = frozenset()

    @initialize(world=worlds, start=starts())
    def begin(self, world: tuple[str, Population], start: Declarations) -> None:
        organisation, found = world
        self.stage = self.staged(organisation)
        self.founders = set(self.stage.stored())
        found.settle_in(self.stage.provider.service)
        self.witness = Witness(Ledger(organisation))
        self.said = copy.deepcopy(start)
        self.commit()
        self.applied(Run(accepted=self.stage.to_accept()))

    def staged(self, organisation: str) -> Stage:
        return self.open.enter_context(staged(organisation, POLICY, case_exact=organisation == CASE_EXACT))

    def teardown(self) -> None:
        try:
            if hasattr(self, "stage"):
                self.comes_to_rest()
        finally:
            self.open.close()

    def comes_to_rest(self) -> None:
        """Whatever happened, fair runs in which everything is accepted get there, and stay there."""
        for _ in range(3):
            last = self.applied(Run(accepted=self.stage.to_accept()))
        left = self.stage.plan().plan
        # a name that somebody else bears cannot be had, and each run says so
        taken = any(isinstance(each, Failed) and each.status == TAKEN for each in last.results)
        assert taken or left.changes == (), (in_short(left), last.results)
        # where others have deleted everybody, that is said until somebody has them made again
        assert {each.rule for each in left.violations} <= {"empty-target"}, left.violations

    @property
    def wanted(self) -> Meaning:
        return meaning(self.said, self.witness.ledger.organisation, self.stage.today)

    # --- people edit

    def commit(self) -> None:
        self.commits.append(copy.deepcopy(self.said))
        self.stage.declare(self.said.files())
        self.witness.lines_changed(self.wanted, self.stage.stored())

    @rule(key=keys, title=st.sampled_from(TITLES), roles=st.sets(st.sampled_from(ROLES), max_size=2), here=stays())
    def comes(self, key: str, title: str | None, roles: set[str], here: Lines) -> None:
        if key not in self.users and login_of(key) not in {each["userName"] for each in self.users.values()}:
            named = {"displayName": key, "title": title, "roles": sorted(roles)}
            self.users[key] = {"userName": login_of(key), **named, **here}
            self.said.released[:] = [each for each in self.said.released if each != key]
            self.take_out_formerly({key, login_of(key)})
            self.commit()

    @property
    def users(self) -> dict[str, Lines]:
        assert isinstance(self.said.users, dict)
        return self.said.users

    @property
    def groups(self) -> dict[str, Lines]:
        assert isinstance(self.said.groups, dict)
        return self.said.groups

    def person(self, number: int) -> str | None:
        return sorted(self.users)[number % len(self.users)] if self.users else None

    @rule(number=st.integers(0, 5), let_go=st.sampled_from([False, False, True]))
    def leaves(self, number: int, let_go: bool) -> None:
        if (key := self.person(number)) is not None:
            del self.users[key]
            self.take_out_member(key)
            if let_go:
                self.said.released.append(key)
            self.commit()

    @rule(but=st.sampled_from([0, 1, 1]))
    def all_but_so_many_leave(self, but: int) -> None:
        for key in sorted(self.users)[but:]:
            del self.users[key]
            self.take_out_member(key)
        self.commit()

    @rule(here=st.just({"endsOn": TODAY.isoformat()}) | stays())
    def everybody_stays_as_long(self, here: Lines) -> None:
        for key, lines in self.users.items():
            self.users[key] = {**{n: v for n, v in lines.items() if n not in STAY}, **here}
        self.commit()

    @rule(title=st.sampled_from(["Four", "Five"]))
    def everybody_gets_a_title(self, title: str) -> None:
        for lines in self.users.values():
            lines["title"] = title
        self.commit()

    @rule(team=teams)
    def all_leave_a_team(self, team: str) -> None:
        if team in self.groups:
            self.groups[team]["members"] = []
            self.commit()

    @rule(number=st.integers(0, 5), title=st.sampled_from([*TITLES, ...]))
    def title_changes(self, number: int, title: Json) -> None:
        self.line_changes(number, "title", title)

    @rule(number=st.integers(0, 5), roles=st.sets(st.sampled_from(ROLES), max_size=2) | st.just(...))
    def roles_change(self, number: int, roles: Json) -> None:
        self.line_changes(number, "roles", roles if roles is ... else sorted(roles))

    def line_changes(self, number: int, name: str, value: Json) -> None:
        """``...`` takes the line out."""
        if (key := self.person(number)) is not None:
            self.users[key].pop(name, None)
            if value is not ...:
                self.users[key][name] = value
            self.commit()

    @rule(number=st.integers(0, 5), here=stays())
    def stay_changes(self, number: int, here: Lines) -> None:
        if (key := self.person(number)) is not None:
            kept = {n: v for n, v in self.users[key].items() if n not in STAY}
            self.users[key] = {**kept, **here}
            self.commit()

    @rule(number=st.integers(0, 5), back=st.booleans())
    def login_changes(self, number: int, back: bool) -> None:
        if (key := self.person(number)) is not None:
            login = login_of(key) if back else f"new.{login_of(key)}"
            if login not in {each["userName"] for each in self.users.values()}:
                self.users[key]["userName"] = login
                self.take_out_formerly({login})
                self.commit()

    @rule(number=st.integers(0, 5), to=keys, told=st.booleans(), login=st.booleans())
    def key_changes(self, number: int, to: str, told: bool, login: bool) -> None:
        """The same person under another key, perhaps with another login."""
        key = self.person(number)
        taken = {each["userName"] for each in self.users.values()}
        if key is None or to in self.users or (login and login_of(to) in taken):
            return
        lines = self.users.pop(key)
        lines.pop("formerly", None)
        if login:
            lines["userName"] = login_of(to)
        self.take_out_formerly({to, lines["userName"]})
        if told:
            lines["formerly"] = [key]
            self.take_out_formerly({key})
        self.users[to] = lines
        self.said.released[:] = [each for each in self.said.released if each != to]
        self.take_out_member(key, to)
        self.commit()

    def take_out_formerly(self, names: set[str]) -> None:
        """An earlier name is nobody's present one."""
        for each in self.users.values():
            kept = [name for name in each.pop("formerly", ()) if name not in names]
            if kept:
                each["formerly"] = kept

    def take_out_member(self, key: str, now: str | None = None) -> None:
        for each in self.groups.values():
            if "members" in each:
                named = [now if line == key else line for line in each["members"]]
                dated = [{**line, "user": now} if isinstance(line, dict) and line.get("user") == key else line
                         for line in named]  # fmt: skip
                each["members"] = [line for line in dated if line is not None and line != {"user": None}
                                   and (isinstance(line, str) or line.get("user", "") is not None)]  # fmt: skip

    @rule(key=teams, additive=st.booleans(), gone=st.sampled_from([False, False, False, True]))
    def team_changes(self, key: str, additive: bool, gone: bool) -> None:
        if gone:
            self.groups.pop(key, None)
            for each in self.groups.values():
                each["members"] = [line for line in each.get("members", ()) if line != {"group": key}]
        else:
            lines = self.groups.setdefault(key, {"displayName": f"Team {key}", "members": []})
            lines.pop("membership", None)
            if additive:
                lines["membership"] = "additive"
        self.commit()

    @rule(team=teams, number=st.integers(0, 8), days=st.none() | st.integers(-1, 2), out=st.booleans())
    def membership_changes(self, team: str, number: int, days: int | None, out: bool) -> None:
        lines = self.groups.get(team)
        if lines is None:
            return
        who = [*sorted(self.users), *STRANGERS]
        name = who[number % len(who)]
        kind = "live" if name in STRANGERS else "user"
        kept = [each for each in lines.get("members", ()) if each != name and not _names(each, kind, name)]
        if not out:
            until = {} if days is None else {"until": (self.stage.today + timedelta(days=days)).isoformat()}
            kept.append({kind: name, **until} if until or kind == "live" else name)
        lines["members"] = kept
        self.commit()

    @precondition(lambda self: len(self.commits) > 2)
    @rule(number=st.integers(1, 8))
    def revert(self, number: int) -> None:
        self.said = copy.deepcopy(self.commits[-1 - number % len(self.commits)])
        self.commit()

    # --- others work on the server

    def account(self, number: int, kind: str = "userName") -> str:
        stored = self.stage.stored()
        found = sorted((each[kind], i) for i, each in stored.items() if ("userName" in each) is (kind == "userName"))
        return found[number % len(found)][1]

    def patched(self, live_id: str, op: str, path: str, value: Json = None) -> bool:
        kind = "Users" if "userName" in self.stage.stored()[live_id] else "Groups"
        operation = {"op": op, "path": path} | ({} if value is None else {"value": value})
        answer = self.stage.ask("PATCH", f"/{kind}/{live_id}", {"schemas": [PATCH_OP], "Operations": [operation]})
        return answer.status < 300

    @precondition(lambda self: self.witness.verified)
    @rule(number=st.integers(0, 40))
    def others_undo_what_was_verified(self, number: int) -> None:
        """Somebody moves exactly what a line of ours says and a run has brought about."""
        before, named = self.stage.stored(), self.stage.names()
        ours = [each for each in self.witness.verified if each[0] in before and (each[2] or each[1] == "title")]
        lines = sorted(ours, key=lambda each: [named.get(str(part), str(part)) for part in each])
        if not lines:
            return
        live_id, name, item = line = lines[number % len(lines)]
        if name == "title":
            done = self.patched(live_id, "replace", "title", "Moved")
        else:
            done = self.patched(live_id, "remove", f'{name}[value eq "{item}"]')
        if done:
            self.witness.others_moved(line, self.wanted, before)

    @rule(number=st.integers(0, 11), title=st.sampled_from(["One", "Two", "Three"]))
    def others_give_a_title(self, number: int, title: str) -> None:
        live_id, before = self.account(number), self.stage.stored()
        if before[live_id].get("title") != title and self.patched(live_id, "replace", "title", title):
            self.witness.others_moved((live_id, "title", None), self.wanted, before)

    @rule(number=st.integers(0, 11), role=st.sampled_from(ROLES))
    def others_change_a_role(self, number: int, role: str) -> None:
        live_id, before = self.account(number), self.stage.stored()
        done = (
            self.patched(live_id, "remove", f'roles[value eq "{role}"]')
            if role in roles_of(before[live_id])
            else self.patched(live_id, "add", "roles", [{"value": role}])
        )
        if done:
            self.witness.others_moved((live_id, "roles", role), self.wanted, before)

    @rule(number=st.integers(0, 11), team=st.integers(0, 5))
    def others_change_a_membership(self, number: int, team: int) -> None:
        live_id, group, before = self.account(number), self.account(team, "displayName"), self.stage.stored()
        done = (
            self.patched(group, "remove", f'members[value eq "{live_id}"]')
            if live_id in members(before[group])
            else self.patched(group, "add", "members", [{"value": live_id}])
        )
        if done:
            self.witness.others_moved((group, "members", live_id), self.wanted, before)

    @rule(number=st.integers(0, 11))
    def others_switch(self, number: int) -> None:
        live_id, before = self.account(number), self.stage.stored()
        active = not is_active(before[live_id])
        if self.patched(live_id, "replace", "active", active):
            self.witness.others_switched(live_id, self.wanted, before, active=active)

    @rule(number=st.integers(0, 11))
    def others_delete(self, number: int) -> None:
        live_id = self.account(number)
        if live_id in self.founders:
            return
        if self.stage.ask("DELETE", f"/Users/{live_id}").status < 300:
            self.witness.others_deleted(live_id, self.wanted)

    @rule(key=keys, spelled=st.sampled_from([str, "new.{}".format, str.upper]), active=st.booleans())
    def others_create(self, key: str, spelled: Callable[[str], str], active: bool) -> None:
        """Perhaps a twin, where only the case of a login has to differ."""
        login = spelled(login_of(key))
        core = "urn:ietf:params:scim:schemas:core:2.0:User"
        body = {"schemas": [core], "userName": login, "displayName": "By hand", "active": active}
        self.stage.ask("POST", "/Users", body)

    @rule(key=teams, number=st.integers(0, 11))
    def others_create_a_team_of_that_name(self, key: str, number: int) -> None:
        members = [{"value": self.account(number)}]
        body = {"schemas": [GROUP], "displayName": f"Team {key}", "members": members}
        self.stage.ask("POST", "/Groups", body)

    # --- days and records

    @rule(days=st.integers(1, 4), due=st.booleans())
    def days_pass(self, days: int, due: bool) -> None:
        """Perhaps with a run for what is due by then."""
        self.stage.today += timedelta(days=days)
        self.witness.lines_changed(self.wanted, self.stage.stored())
        if due:
            self.apply_as_accepted()

    @rule()
    def the_record_is_lost(self) -> None:
        self.stage.put_record(None)
        self.witness = Witness(Ledger(self.witness.ledger.organisation))

    @precondition(lambda self: self.records)
    @rule(number=st.integers(0, 8))
    def the_record_is_put_back_to_an_earlier_one(self, number: int) -> None:
        record, witness = self.records[number % len(self.records)]
        self.stage.put_record(record)
        self.witness = copy.deepcopy(witness)
        self.witness.moved.clear()  # what others moved meanwhile was moved under another record
        self.witness.off.clear()
        self.witness.deleted.clear()
        self.witness.lines_changed(self.wanted, self.stage.stored())

    # --- runs

    @rule(drift=st.booleans())
    def plan(self, drift: bool) -> None:
        before = self.stage.stored()
        planned = self.stage.plan(drift=drift).plan
        sound(planned)
        said_aloud(planned)
        assert self.stage.stored() == before

    @rule()
    def apply(self) -> None:
        """With what was accepted for earlier runs: that is for exactly its items, so all else that is broken stops."""
        broken = self.stage.to_accept()
        applied = self.applied(Run(accepted=self.accepted), lifted=self.accepted & broken)
        assert {f"{each.rule}@{each.digest}" for each in applied.shown.plan.violations} == broken - self.accepted
        self.accepted |= broken

    @rule(weather=weathers)
    def apply_in_bad_weather(self, weather: Weather) -> None:
        self.applied(Run(weather=weather, accepted=self.stage.to_accept()))

    @rule(count=st.integers(1, 5), dies=st.booleans(), weather=weathers)
    def apply_ends_in_the_middle(self, count: int, dies: bool, weather: Weather) -> None:
        self.applied(
            Run(
                stops_after=None if dies else count,
                dies_after=count if dies else None,
                weather=weather,
                accepted=self.stage.to_accept(),
            )
        )

    @rule()
    def apply_as_accepted(self) -> None:
        self.applied(Run(accepted=self.stage.to_accept()))

    @rule()
    def put_drift_right(self) -> None:
        self.applied(Run(drift=True, accepted=self.stage.to_accept(drift=True)))

    def applied(self, run: Run, lifted: frozenset[str] | None = None) -> Applied:
        """One apply, and everything that must hold after it. `lifted`: what of the acceptances holds for this plan."""
        self.stage.plan()
        applied = self.stage.apply(run)
        plan = applied.shown.plan
        sound(plan)
        said_aloud(plan)
        if plan.violations:
            assert applied.before == applied.after, "a run that was refused has written"
            return applied
        self.judge(applied, run, run.accepted if lifted is None else lifted)
        ended = applied.outcome is not None
        refused = {str(each.address) for each in plan.refused}
        self.witness.ledger.note(self.wanted, applied.after, ended=ended)
        if ended:
            self.witness.looked(self.wanted, applied.after, refused)
            self.records.append((self.stage.copied_record(), copy.deepcopy(self.witness)))
            assert applied.outcome is not None
            assert not applied.outcome.troubles
            if all(isinstance(each, Succeeded) for each in applied.results):
                self.reached()
        return applied

    def judge(self, applied: Applied, run: Run, lifted: frozenset[str]) -> None:
        before, after, wanted, today = applied.before, applied.after, self.wanted, self.stage.today
        assert not self.witness.ledger.offences(before, after, wanted, today, drift=run.drift)
        assert not list(self.witness.comebacks(before, after, wanted, today, drift=run.drift))
        if not run.drift:
            assert not list(self.witness.undone(before, after, wanted))
        done = applied.outcome is not None and all(isinstance(each, Succeeded) for each in applied.results)
        accepted = {each.partition("@")[0] for each in lifted}
        broken = self.witness.rails(before, after, wanted, today, all_done=done)
        assert not [each for each in broken if each[0] not in accepted]

    def reached(self) -> None:
        """After a run without a failure: what is declared is in place, or the plan says why not."""
        left = self.stage.plan().plan
        over = {f"user.{key}" for key, person in self.wanted.people.items() if person.is_over(self.stage.today)}
        assert over or left.changes == (), in_short(left)
        told = {str(each.address) for part in (left.drift, left.notices, left.refused) for each in part} | over
        missing = list(lacking(self.stage, self.wanted, self.witness.ledger, left))
        assert not [each for each in missing if each.partition(":")[0].split(" is ")[0] not in told]


STAY = ("active", "startsOn", "endsOn", "deleteAfter")


def _names(line: Json, kind: str, name: str) -> bool:
    return isinstance(line, dict) and line.get(kind) == name


def in_short(plan: Plan) -> list[object]:
    """The changes of a plan, one line each."""
    return [
        (
            str(change.address),
            [(each.path, each.op, each.item, each.after, each.cause) for each in change.attribute_changes],
        )
        for change in plan.changes
    ]


def said_aloud(plan: Plan) -> None:
    """Whatever stops a run, or is left out of it, stands in what is printed."""
    if not plan.violations and not plan.refused:
        return
    printed = "".join(render_text(view(plan, verbose=True), width=200, colour=False).split())
    for each in plan.violations:
        assert each.rule in printed
        assert each.digest in printed or each.rule in ("behind", "diverged", "dirty", "in-progress", "record-lost")
    for refused in plan.refused:
        assert str(refused.address) in printed
        assert "".join(refused.summary.split()) in printed


Life.TestCase.settings = examples(12, stateful_step_count=30)
TestLife = Life.TestCase
