"""The example company that comes with the repository: believable, complete as a lesson, and it plans."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import reconciler
from reconciler.declarations import check_declarations, load_declarations, resolve
from reconciler.model import Address, DesiredResource, DesiredState, LiveReference, ResourceType
from reconciler.schemas import schema
from reconciler.scim.attributes import ENTERPRISE_USER, GROUP_ATTRIBUTES, USER_ATTRIBUTES
from reconciler.settings.loading import load_settings
from reconciler.settings.overlay import target_profile
from reconciler.yamlsource import read_yaml

ROOT = Path(reconciler.__file__).parents[1]
SETTINGS = load_settings(ROOT / "reconciler.yaml")
FILES = sorted((ROOT / "identities").rglob("*.yaml"))
SEED = yaml.safe_load((ROOT / "sandbox" / "contact-centre.seed.yaml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 25)
MANAGER = f"{ENTERPRISE_USER}:manager"
TARGETS = tuple(SETTINGS.targets)


def _desired(target: str, today: date = TODAY) -> DesiredState:
    chosen = SETTINGS.targets[target]
    declarations = load_declarations(ROOT, chosen.identities)
    return resolve(declarations, chosen, target_profile(chosen), today)


@pytest.fixture(scope="module")
def company() -> DesiredState:
    return _desired("sandbox")


def _of(state: DesiredState, resource_type: ResourceType) -> dict[str, DesiredResource]:
    return {each.key: state.resources[each] for each in state.resources if each.resource_type is resource_type}


def _values(state: DesiredState, name: str) -> Counter[object]:
    paths = (name, f"{ENTERPRISE_USER}:{name}")
    return Counter(
        value for each in state.resources.values() for path, value in each.attributes.items() if path in paths
    )


# --- it is sound


@pytest.mark.parametrize("target", TARGETS)
def test_there_is_nothing_to_complain_about(target: str) -> None:
    chosen = SETTINGS.targets[target]
    declarations = load_declarations(ROOT, chosen.identities)
    found = check_declarations(declarations, [(chosen, target_profile(chosen))], known_targets=TARGETS)
    assert (*declarations.diagnostics, *found) == ()
    assert _desired(target).diagnostics == ()


def test_all_targets_together_are_sound_too() -> None:
    targets = [(each, target_profile(each)) for each in SETTINGS.targets.values()]
    folders = [folder for target, _ in targets for folder in target.identities]
    declarations = load_declarations(ROOT, folders)
    assert check_declarations(declarations, targets) == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_an_editor_finds_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named
    assert (path.parent / named[1]).resolve() == ROOT / "schemas" / "identities.schema.json"


def test_an_editor_finds_the_schema_of_the_settings() -> None:
    first = SETTINGS.path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=schemas/settings.schema.json"


# --- it is a company


def test_people_sites_and_groups(company: DesiredState) -> None:
    assert len(_of(company, ResourceType.USER)) == 67
    assert len(_of(company, ResourceType.GROUP)) == 12
    sites = _values(company, "division")
    assert set(sites) == {"Leeds", "Berlin", "Manila", "Home"}
    assert min(sites[site] for site in ("Leeds", "Berlin", "Manila")) >= 15
    assert len(_values(company, "department")) >= 6


def test_staging_is_small_and_nested() -> None:
    staging = _desired("staging")
    assert len(_of(staging, ResourceType.USER)) == 5
    testers = _of(staging, ResourceType.GROUP)["release-testers"]
    assert Address(ResourceType.GROUP, "platform") in testers.lists["members"].items


def test_managers_are_three_levels_deep_and_end_outside(company: DesiredState) -> None:
    def above(address: Address) -> list[object]:
        manager = company.resources[address].attributes.get(MANAGER)
        return [manager, *above(manager)] if isinstance(manager, Address) else [manager] if manager else []

    chains = [above(each) for each in company.resources if each.resource_type is ResourceType.USER]
    longest = max(chains, key=len)
    assert len(longest) == 4
    assert longest[-1] == LiveReference(ResourceType.USER, "ingrid.solberg@example.com")


def test_names_are_from_everywhere(company: DesiredState) -> None:
    names = " ".join(str(name) for name in _values(company, "displayName"))
    for each in ("Zoë", "Müller", "Đặng", "李", "Çelik", "Ó Briain", "Zieliński", "Peñalosa"):
        assert each in names


def test_every_group_has_somebody(company: DesiredState) -> None:
    for key, group in _of(company, ResourceType.GROUP).items():
        assert len(group.lists["members"].items) >= 2, key


def test_nobody_real_is_in_it() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in [*FILES, ROOT / "sandbox" / "contact-centre.seed.yaml"])
    hosts = set(re.findall(r"[\w.]@([\w.-]+)", text))
    assert hosts == {"example.com", "contractor.example.com", "teams.example.com"}
    numbers = set(re.findall(r"\+\d[\d ]+", text))
    kept_free = r"\+44 113 496 0\d{3}|\+44 7700 900\d{3}|\+49 30 23125 \d{3}|\+1 212 555 01\d{2}"
    assert len(numbers) >= 10
    assert [number for number in numbers if not re.fullmatch(kept_free, number.strip())] == []


@pytest.mark.parametrize("today", [date(2026, 1, 12), TODAY, date(2031, 3, 31)])
def test_it_reads_the_same_for_years(today: date, company: DesiredState) -> None:
    assert _desired("sandbox", today).resources == company.resources


# --- it teaches everything


def _words() -> set[str]:
    """The keys of declarations that are no attributes: what `docs/declarations.md` explains."""
    found = schema("identities")
    shapes = [found, *(found["$defs"][name] for name in ("user", "template", "group", "memberRule"))]
    known = {name for shape in shapes for name in shape["properties"]}
    known |= {"user", "group", "live", "until"}  # a member
    attributes = {each.name for table in (USER_ATTRIBUTES, GROUP_ATTRIBUTES) for each in table.attributes}
    return known - (attributes - {"active", "members", "manager"})


def _keys(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _keys(value)
    elif isinstance(data, list):
        for each in data:
            yield from _keys(each)


def test_every_word_of_the_language_is_used() -> None:
    used = {
        key
        for path in FILES
        for document in read_yaml(path.read_bytes(), path.name).documents
        for key in _keys(document)
    }
    assert _words() - used == set()


def test_each_lesson_is_there(company: DesiredState) -> None:
    people, groups = _of(company, ResourceType.USER), _of(company, ResourceType.GROUP)
    circle = groups["quality-circle"].lists["members"]
    assert [item.until for item in circle.items.values() if item.until] == [date(2031, 12, 31)]
    assert [key for key, group in groups.items() if group.lists["members"].mode == "additive"] == ["fire-wardens"]
    breakglass = LiveReference(ResourceType.USER, "breakglass@example.com")
    assert breakglass in groups["administrators"].lists["members"].items
    assert people["oliver.grant"].lifecycle.active is False
    assert people["rafael.mota"].lifecycle.delete_after == 90
    assert people["zoe.hartmann"].formerly == ("zoe.clarke@example.com", "zoe.clarke")
    assert people["priya.raman"].lists["routingSkills"].items.keys() == {"Bookings"}
    assert people["amara.nwosu"].lists["routingSkills"].items["Bookings"].level == 5
    assert people["dewi.morgan"].attributes['phoneNumbers[type eq "other"].value'] is None
    assert people["tom.barker"].attributes['phoneNumbers[type eq "work"].value'] == "+441134960142;ext=142"
    assert people["grace.okafor"].attributes[f"{ENTERPRISE_USER}:employeeNumber"] == "000101"
    assert company.released == {
        Address(ResourceType.USER, "felicity.stone"),
        Address(ResourceType.GROUP, "summer-pilot"),
    }


# --- it runs


@pytest.mark.parametrize(
    ("kind", "list_name", "path"),
    [
        ("divisions", None, f"{ENTERPRISE_USER}:division"),
        ("roles", "roles", None),
        ("skills", "routingSkills", None),
        ("languages", "routingLanguages", None),
        ("groups", None, "displayName"),
    ],
)
def test_the_seed_knows_every_name_that_must_exist(
    kind: str, list_name: str | None, path: str | None, company: DesiredState
) -> None:
    resource_type = ResourceType.GROUP if kind == "groups" else ResourceType.USER
    wanted: set[object] = set()
    for each in _of(company, resource_type).values():
        wanted |= set(each.lists[list_name].items) if list_name in each.lists else set()
        wanted |= {each.attributes[path]} if path in each.attributes else set()
    there = {each if isinstance(each, str) else each["displayName"] for each in SEED[kind]}
    assert wanted
    assert wanted - there - {"Home"} == set()


@pytest.fixture
def at_home(folders: Callable[[str], Any]) -> Any:
    """A folder with the example in it, and nothing else."""
    home = folders("company")
    shutil.copy(ROOT / "reconciler.yaml", home.path)
    for name in ("identities", "sandbox"):
        shutil.copytree(ROOT / name, home.path / name)
    return home


@pytest.mark.parametrize(("target", "created", "renamed"), [("sandbox", 63, 1), ("staging", 7, 0)])
def test_plan_apply_plan(target: str, created: int, renamed: int, at_home: Any) -> None:
    planned = at_home.run("plan", "--target", target, "--format", "json")
    assert planned.code == 0, planned.err
    plan = json.loads(planned.out)
    actions = Counter(action for change in plan["changes"] for action in change["actions"])
    assert (actions["create"], actions["rename"], actions["delete"]) == (created, renamed, 0)
    assert (plan["drift"], plan["violations"], plan["refused"]) == ([], [], [])
    applied = at_home.run("apply", "--target", target, "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    after = at_home.run("plan", "--target", target, "--detailed-exitcode")
    assert after.code == 0, after.out
    assert f'No changes. Target "{target}" matches the declarations' in after.out


def test_the_first_plan_tells_a_story(at_home: Any) -> None:
    told = at_home.run("plan").out
    assert '"Agent" -> "Senior Agent"' in told
    assert '"zoe.clarke@example.com" -> "zoe.hartmann@example.com"' in told
    assert "user.kwame.mensah: inactive on the server, left so" in told
    assert "ingrid.solberg@example.com will" not in told
    assert "Facilities Desk" not in told
