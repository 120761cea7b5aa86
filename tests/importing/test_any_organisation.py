"""Whatever an organisation holds: what is imported is valid, changes nothing, and what is missing is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.drafting import layout
from reconciler.importing import Imported
from reconciler.importing.running import Sight, imported
from reconciler.model import AppliedState, LiveState, ResourceType, Severity
from reconciler.profiles.loading import load_profile, profile_names
from reconciler.project import Project, open_project
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.refreshing import decode_resource
from reconciler.remembering import announce, conclude
from tests.importing.drawn_organisations import Row, organisations
from tests.properties.effort import examples

SETTINGS = "targets:\n  office: {profile: PROFILE, url: 'sandbox:'}\n"


def place(folder: Path, profile: str, files: Mapping[str, str]) -> Project:
    for name, text in {"reconciler.yaml": SETTINGS.replace("PROFILE", profile), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return open_project(folder, None, None)


def brought_in(project: Project, live: LiveState, applied: AppliedState, *, at_rest: bool) -> Imported:
    target = project.target("office")
    sight = Sight(live=live, profile=load_profile(target.profile), applied=applied)
    found = imported(project, target, "identities", sight, at_rest=at_rest)
    for path, written in found.files.items():
        (project.base / path).parent.mkdir(parents=True, exist_ok=True)
        with (project.base / path).open("x", encoding="utf-8") as file:
            file.write(written.text)
    return found


def planned(project: Project, live: LiveState, applied: AppliedState) -> Reconciliation:
    target = project.target("office")
    desired, profile = project.desired(target)
    return reconcile(desired, live, applied, profile, target.policy, Context(target="office", tool_version=""))


def adopted(plan: Reconciliation) -> AppliedState:
    """The record after an apply that had nothing to do."""
    return conclude(announce(plan.situation, (), None), plan.situation, plan.plan.drift, {})


def nothing_to_do(plan: Reconciliation) -> None:
    found = plan.plan
    assert (found.changes, found.drift, found.refused, found.violations) == ((), (), (), ())


def words(found: Imported) -> str:
    return "\n".join(f"{each.address} {each.summary} {each.detail}" for each in found.left_out)


@pytest.mark.parametrize("name", profile_names())
def test_whatever_is_held_is_written_valid_or_named(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    @examples(40)
    @given(live=organisations(load_profile(name)), at_rest=st.booleans(), large=st.booleans())
    def holds(live: LiveState, at_rest: bool, large: bool) -> None:
        project = place(tmp_path_factory.mktemp("place"), name, {})
        with pytest.MonkeyPatch.context() as sizes:
            for size, number in {"_FEW": 0, "_ENOUGH": 1, "_MOST": 2}.items() if large else ():
                sizes.setattr(layout, size, number)
            found = brought_in(project, live, AppliedState(), at_rest=at_rest)
        if not found.files:
            return
        problems, declarations = project.problems([project.target("office")])
        assert [each for each in problems if each.severity is Severity.ERROR] == []
        assert (len(declarations.users), len(declarations.groups)) == (found.users, found.groups)
        first = planned(project, live, AppliedState())
        nothing_to_do(first)
        nothing_to_do(planned(project, live, adopted(first)))
        everybody_is_accounted_for(found, live, first, None, at_rest=at_rest)

    holds()


def everybody_is_accounted_for(
    found: Imported, live: LiveState, plan: Reconciliation, before: Reconciliation | None, *, at_rest: bool
) -> None:
    written = plan.situation.matches.address_of
    known = before.situation.matches.address_of if before else {}
    said = words(found)
    for each in live.resources.values():
        asked_for = at_rest or each.active or each.resource_type is ResourceType.GROUP
        assert each.id in written or not asked_for or f'"{each.name}"' in said
    assert found.users + found.groups == len(written) - len(known)


def test_two_who_share_a_login_cost_nobody_else_anything(tmp_path: Path) -> None:
    profile = load_profile("rfc")
    rows = {each: {"id": each, "userName": f"{each}@example.com"} for each in ("ann", "ANN", "bob")}
    team: Row = {"id": "team", "displayName": "Team", "members": [{"value": each} for each in rows]}
    found = {each: decode_resource(row, ResourceType.USER, profile) for each, row in rows.items()}
    live = LiveState(resources={**found, "team": decode_resource(team, ResourceType.GROUP, profile)})
    project = place(tmp_path, "rfc", {})
    said = brought_in(project, live, AppliedState(), at_rest=False)
    assert '"ann@example.com"' in words(said)
    assert '"ANN@example.com"' in words(said)
    text = (tmp_path / "identities/groups.yaml").read_text("utf-8")
    assert text.endswith("    members: [bob]\n    membership: additive\n")
    nothing_to_do(planned(project, live, AppliedState()))


LINES = [
    "released: [bob, group.support]\n",
    "users:\n  mo: {userName: mo@example.com, formerly: [cy@example.com]}\n",
    "users:\n  mo: {userName: bob@example.com, displayName: Mo, manager: {live: cy@example.com}}\n",
    "users:\n  cy@example.com: {userName: mo@example.com, displayName: Cy}\n",
    "users:\n  ann: {userName: mo@example.com, displayName: Mo, formerly: [ann@example.com]}\n",
    "users:\n  ann: {userName: ann@example.com, displayName: A, groups: [team]}\n"
    "groups:\n  team: {displayName: Team}\n",
    "groups:\n  team: {displayName: Team, memberRule: {title: [Agent, Lead, Support]}}\n",
    "groups:\n  team: {displayName: Team, membership: additive, memberRule: {department: [Agent, no, '12']}}\n",
    "groups:\n  support: {displayName: Support, members: [{live: cy@example.com}]}\n",
    "templates:\n  lead: {manager: {live: bob@example.com}}\n",
]


@pytest.mark.parametrize("name", profile_names())
def test_whoever_comes_later_changes_no_line_and_no_plan(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    @examples(40)
    @given(
        live=organisations(load_profile(name)),
        later=st.sets(st.sampled_from(["u0", "u2", "u4", "g0", "g2"])),
        lines=st.sampled_from(["", *LINES]),
        at_rest=st.booleans(),
    )
    def holds(live: LiveState, later: set[str], lines: str, at_rest: bool) -> None:
        folder = tmp_path_factory.mktemp("place")
        project = place(folder, name, {"identities/lines.yaml": lines} if lines else {})
        early = replace(live, resources={key: each for key, each in live.resources.items() if key not in later})
        assume(is_usable(project))
        brought_in(project, early, AppliedState(), at_rest=at_rest)
        applied = adopted(planned(project, early, AppliedState())) if is_usable(project) else AppliedState()
        declared = {path: path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}
        before = planned(project, live, applied) if is_usable(project) else None
        found = brought_in(project, live, applied, at_rest=at_rest)
        assert {path: path.read_bytes() for path in declared} == declared
        if not found.files:
            return
        problems, _ = project.problems([project.target("office")])
        assert [each for each in problems if each.severity is Severity.ERROR] == []
        after = planned(project, live, applied)
        known = parts(before) if before else set()
        named = {each.address for each in found.follows}
        assert {part for part in parts(after) - known if part[0] not in named} == set()
        assert after.plan.violations == () or before
        everybody_is_accounted_for(found, live, after, before, at_rest=at_rest)

    holds()


def is_usable(project: Project) -> bool:
    """Whether there is anything declared, and without mistakes."""
    problems, _ = project.problems([project.target("office")])
    return all(each.severity is not Severity.ERROR for each in problems)


def parts(plan: Reconciliation) -> set[tuple[Any, ...]]:
    found = plan.plan
    changed = {
        (change.address, each.path, each.item)
        for change in (*found.changes, *found.drift)
        for each in change.attribute_changes
    }
    whole = {(change.address, *change.actions) for change in (*found.changes, *found.drift)}
    return changed | whole | {(each.address, each.code) for each in found.refused}
