"""Whatever an organisation holds: what is imported is valid, changes nothing, and what is missing is named."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importing import Imported
from reconciler.importing.running import Sight, imported
from reconciler.model import AppliedState, LiveState, ResourceType, Severity
from reconciler.profiles.loading import load_profile, profile_names
from reconciler.project import Project, open_project
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.remembering import announce, conclude
from tests.importing.drawn_organisations import organisations
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
    @given(live=organisations(load_profile(name)), at_rest=st.booleans())
    def holds(live: LiveState, at_rest: bool) -> None:
        project = place(tmp_path_factory.mktemp("place"), name, {})
        found = brought_in(project, live, AppliedState(), at_rest=at_rest)
        if not found.files:
            return
        problems, declarations = project.problems([project.target("office")])
        assert [each for each in problems if each.severity is Severity.ERROR] == []
        assert (len(declarations.users), len(declarations.groups)) == (found.users, found.groups)
        first = planned(project, live, AppliedState())
        nothing_to_do(first)
        nothing_to_do(planned(project, live, adopted(first)))
        everybody_is_accounted_for(found, live, first, at_rest=at_rest)

    holds()


def everybody_is_accounted_for(found: Imported, live: LiveState, plan: Reconciliation, *, at_rest: bool) -> None:
    written = plan.situation.matches.address_of
    said = words(found)
    for each in live.resources.values():
        asked_for = at_rest or each.active or each.resource_type is ResourceType.GROUP
        assert each.id in written or not asked_for or f'"{each.name}"' in said
    assert found.users + found.groups == len(written)
