"""A profile that is a file of the repository: what it may say, where it may stand, and a whole life by it."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.describing import unknown_attributes
from reconciler.model import ResourceType
from reconciler.profiles.profile import RFC
from reconciler.sandbox import open_sandbox, serve
from tests.cli.in_process import QuickFolder, quick
from tests.git.company import Company
from tests.record.conftest import _plain_git  # noqa: F401
from tests.record.git_world import World, git

ACME = """\
name: acme
title: Acme Directory
wire: {listAttributes: true}
users:
  attributes:
    - {name: badge, kind: text, schema: "urn:acme:2.0:User"}
    - {name: desks, kind: names, schema: "urn:acme:2.0:User", access: true}
    - {name: floors, kind: levels, key: name, value: level, schema: "urn:acme:2.0:User", maximum: 9}
    - {name: height, kind: number, schema: "urn:acme:2.0:User"}
    - {name: remote, kind: boolean, schema: "urn:acme:2.0:User"}
    - {name: joined, kind: date, schema: "urn:acme:2.0:User"}
    - {name: car, kind: complex, parts: [plate, colour], schema: "urn:acme:2.0:User"}
    - {name: keys, kind: keyed, key: door, parts: [value], schema: "urn:acme:2.0:User"}
  required: [userName, badge]
"""
OFFICE = """\
targets:
  office:
    profile: profiles/acme.yaml
    url: "sandbox:"
    sandbox: {switches: {listedWithout: [nickName, badge]}}
"""
ANN = """\
users:
  ann:
    userName: ann@example.com
    displayName: Ann Ng
    nickName: Annie
    badge: 0017
    desks: [D1, D2]
    floors: {first: 3}
    height: 1.8
    remote: true
    joined: 2026-01-31
    car: {plate: AB 12}
    keys: {front: F-1, back: {value: B-2}}
"""


@pytest.fixture
def office(tmp_path: Path) -> QuickFolder:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", OFFICE)
    folder.write("profiles/acme.yaml", ACME)
    folder.write("identities/a.yaml", ANN)
    return folder


def said(text: str) -> str:
    return " ".join(text.split())


# --- a whole life


def test_a_whole_life_by_what_only_the_profile_says(office: QuickFolder) -> None:
    assert office.run("validate").code == 0
    made = office.run("apply", "--auto-approve")
    assert made.code == 0, made.out + made.err
    assert "(profile acme)" in made.out
    assert office.run("plan", "--detailed-exitcode").code == 0, "listings have nickName and badge only by name"
    office.write("identities/a.yaml", ANN.replace("[D1, D2]", "[D2, D3]").replace("first: 3", "first: 4"))
    changed = office.run("apply", "--auto-approve")
    assert changed.code == 0, changed.out + changed.err
    for line in ("- D1", "+ D3", "first = 3 -> 4"):
        assert line in said(changed.out)
    assert office.run("plan", "--detailed-exitcode").code == 0
    office.write("identities/a.yaml", ANN.replace("    desks: [D1, D2]\n", "").replace("    keys:", "    # keys:"))
    left = office.run("apply", "--auto-approve")
    assert "- D2" in said(left.out), "a line that gave access leaves, and takes it along"
    assert "no longer managed: keys.back, keys.front" in said(left.out), "any other value stays"
    assert office.run("plan", "--detailed-exitcode").code == 0


def test_import_writes_what_the_profile_adds(office: QuickFolder, tmp_path: Path) -> None:
    assert office.run("apply", "--auto-approve").code == 0
    (office.path / "identities" / "a.yaml").unlink()
    shutil.rmtree(office.path / ".reconciler" / "record")  # as if others had made her
    ran = office.run("import")
    assert "user.root has no badge, which Acme Directory needs" in ran.out + ran.err
    assert "ann@example.com" not in ran.out + ran.err, "nothing of hers is left out"
    written = "".join(each.read_text("utf-8") for each in sorted((office.path / "identities").rglob("*.yaml")))
    for line in ("badge: '0017'", "first: 3", "plate: AB 12", "joined: 2026-01-31", "height: 1.8"):
        assert line in written
    assert office.run("plan", "--detailed-exitcode").code == 0


def test_what_the_shape_of_an_attribute_forbids_is_told_at_its_line(office: QuickFolder) -> None:
    wrong = ANN.replace("[D1, D2]", "D1").replace("first: 3", "first: 10").replace("1.8", "tall")
    wrong = wrong.replace("remote: true", "remote: yes").replace("plate: AB 12", "wheels: 4")
    office.write("identities/a.yaml", wrong.replace("2026-01-31", "31.1.2026").replace("{value: B-2}", "{val: B-2}"))
    ran = office.run("validate")
    assert ran.code == 1
    for words in (
        "a.yaml:7:12: error[wrong-type]: desks must be a list",
        "a.yaml:8:21: error[out-of-range]: floors.first must be a number from 0 to 9, not 10",
        "a.yaml:9:13: error[wrong-type]: height must be a number",
        "a.yaml:10:13: error[wrong-type]: remote must be true or false",
        "a.yaml:11:13: error[wrong-form]: joined must be a date",
        "a.yaml:12:11: error[unknown-key]: there is no key wheels in car",
        "a.yaml:13:31: error[unknown-key]: there is no key val in keys.back",
    ):
        assert words in ran.err, ran.err


def test_a_name_is_known_where_a_profile_adds_it_and_nowhere_else(office: QuickFolder) -> None:
    office.write("reconciler.yaml", OFFICE + "  other: {profile: rfc, url: 'sandbox:'}\ndefaultTarget: office\n")
    ran = office.run("validate")
    assert "Service Provider" not in ran.err
    assert "SCIM 2.0 service provider (RFC 7643, RFC 7644) does not take badge" in ran.err
    office.write("reconciler.yaml", OFFICE)
    office.write("identities/a.yaml", ANN.replace("badge:", "bage:"))
    ran = office.run("validate")
    assert "there is no key bage" in ran.err
    assert "did you mean badge?" in ran.err


def test_templates_overrides_without_and_rules_know_it(office: QuickFolder) -> None:
    office.write(
        "identities/b.yaml",
        "templates:\n  leeds: {desks: [D7, D8], badge: L}\n"
        "users:\n  bob: {userName: bob@example.com, from: [leeds], without: {desks: [D8]},"
        " overrides: {office: {badge: X-1}}}\n"
        "groups:\n  seven: {displayName: Seven, memberRule: {desks: D7}}\n",
    )
    ran = office.run("apply", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    assert '+ badge = "X-1"' in said(ran.out)
    assert "+ members + bob" in said(ran.out)
    assert "D8" not in ran.out


def test_one_that_extends_a_shipped_one_has_its_organisation(tmp_path: Path) -> None:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", "targets:\n  cc: {profile: ./profiles/ours.yml, url: 'sandbox:'}\n")
    folder.write("profiles/ours.yml", "name: ours\ntitle: Our Cloud\nextends: genesys\nmembership: {addMax: 7}\n")
    folder.write("identities/a.yaml", "users:\n  ann: {userName: ann@example.com, displayName: Ann, roles: [Agent]}\n")
    ran = folder.run("apply", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    folder.write("identities/a.yaml", "users:\n  ann: {userName: ann@example.com, displayName: Ann, nickName: A}\n")
    assert "Our Cloud does not take nickName" in folder.run("validate").err


def test_the_schema_for_editors_has_what_the_profile_adds(office: QuickFolder) -> None:
    printed = office.run("schema", "identities")
    assert printed.code == 0
    schema = json.loads(printed.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    ann: dict[str, Any] = {"userName": "ann", "badge": 17, "desks": ["D1"], "floors": {"x": 9}, "keys": {"f": "a"}}
    assert judge.is_valid({"users": {"ann": ann}})
    assert not judge.is_valid({"users": {"ann": {**ann, "desks": "D1"}}})
    assert not judge.is_valid({"users": {"ann": {**ann, "floors": {"x": 10}}}})
    (office.path / "reconciler.yaml").write_text("targets: [\n")
    assert "badge" not in office.run("schema", "identities").out


# --- mistakes


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("acme.yaml", "acme.yaml does not lie in profiles/, beside the settings file"),
        ("../profiles/acme.yaml", "does not lie in profiles/"),
        ("profiles/../profiles/acme.yaml", "does not lie in profiles/"),
        ("/etc/acme.yaml", "does not lie in profiles/"),
        ("identities/acme.yaml", "does not lie in profiles/"),
        ("profiles/deep/acme.yaml", "does not lie in profiles/"),
        (r"profiles\acme.yaml", "does not lie in profiles/"),
        ("profiles/acne.yaml", "profiles/acne.yaml is not there mend: did you mean profiles/acme.yaml?"),
        ("profiles/rfc.yaml", "has the name of a profile that comes with reconciler"),
        ("profiles/link.yaml", "is a link, or no file"),
        ("profiles/gone.yaml", "is a link, or no file"),
        ("profiles/folder.yaml", "is a link, or no file"),
        ("profiles/acme", 'must be genesys, rfc or a file such as profiles/acme.yaml, not "profiles/acme"'),
        ("genesis", "did you mean genesys?"),
    ],
)
def test_a_path_that_cannot_be_meant(written: str, words: str, office: QuickFolder) -> None:
    (office.path / "profiles" / "link.yaml").symlink_to(office.path / "profiles" / "acme.yaml")
    (office.path / "profiles" / "gone.yaml").symlink_to(office.path / "nowhere.yaml")
    (office.path / "profiles" / "folder.yaml").mkdir()
    office.write("reconciler.yaml", OFFICE.replace("profiles/acme.yaml", written))
    ran = office.run("validate")
    assert ran.code == 1
    assert words in said(ran.err)
    assert ran.err.startswith("reconciler.yaml:3:14: error[")
    assert "1 error in" in ran.err, "declarations that hold its attributes are not blamed"


def test_a_folder_of_profiles_that_is_a_link(office: QuickFolder) -> None:
    (office.path / "profiles").rename(office.path / "elsewhere")
    (office.path / "profiles").symlink_to(office.path / "elsewhere")
    assert "profiles/acme.yaml is a link, or no file" in office.run("validate").err


def test_mistakes_in_the_file_stand_at_their_lines_once(office: QuickFolder) -> None:
    settings = OFFICE + "  again: {profile: profiles/acme.yaml, url: 'sandbox:'}\ndefaultTarget: office\n"
    office.write("reconciler.yaml", settings)
    office.write("profiles/acme.yaml", ACME.replace("listAttributes", "listAtributes"))
    ran = office.run("validate")
    assert ran.code == 1
    assert ran.err.startswith("profiles/acme.yaml:3:8: error[unknown-key]: wire has no key listAtributes\n")
    assert "did you mean listAttributes?" in ran.err
    assert "1 error in 1 file" in ran.err


def test_two_profiles_give_one_attribute_one_shape(office: QuickFolder) -> None:
    office.write(
        "reconciler.yaml", OFFICE + "  two: {profile: profiles/two.yaml, url: 'sandbox:'}\ndefaultTarget: two\n"
    )
    office.write("profiles/two.yaml", "name: two\ntitle: Two\nusers: {attributes: [{name: desks, kind: text}]}\n")
    ran = office.run("validate")
    assert "reconciler.yaml:6:18: error[other-shape]: profiles/two.yaml gives desks another shape than" in ran.err


# --- part of the settings


def test_a_saved_plan_is_bound_to_it(office: QuickFolder) -> None:
    assert office.run("plan", "--out", "plan.json").code == 0
    office.write("profiles/acme.yaml", ACME + "membership: {addMax: 1}\n")
    ran = office.run("apply", "plan.json", "--auto-approve")
    assert ran.code == 4
    assert "profiles/acme.yaml has changed since the plan was made" in said(ran.err)


def test_it_has_to_be_committed_and_a_change_is_told(tmp_path: Path) -> None:
    with Company.founded(World(tmp_path)) as company:
        settings = company.running.settings().replace("profile: rfc", "profile: profiles/acme.yaml")
        plain = "name: acme\ntitle: Acme\n"
        company.world.commit({"reconciler.yaml": settings, "profiles/acme.yaml": plain})
        company.applied()
        seed = company.seed
        seed.write("profiles/acme.yaml", plain + "membership: {addMax: 1}\n")
        refused = seed.run("apply", "--auto-approve")
        assert refused.code == 3
        assert "dirty" in refused.out
        assert "profiles/acme.yaml" in refused.out
        company.world.commit({"profiles/acme.yaml": plain + "membership: {addMax: 1}\n"}, push=False)
        against = seed.run("plan", "--base", "origin/main")
        words = (
            "compared with origin/main, the lines of profiles/acme.yaml change membership; this plan goes by the new"
        )
        assert words in said(against.out)
        first = git(seed.path, "rev-list", "--max-parents=0", "HEAD").strip()
        assert "the lines of profiles/acme.yaml are new" in said(seed.run("plan", "--base", first).out)


# --- doctor


def described(name: str, kind: str, *parts: str, many: bool = False, mutability: str = "readWrite") -> dict[str, Any]:
    """An attribute as RFC 7643 §7 describes it."""
    below = [described(each, "string") for each in parts]
    common = {"description": name, "required": False, "caseExact": False, "returned": "default", "uniqueness": "none"}
    found = {**common, "name": name, "type": kind, "multiValued": many, "mutability": mutability}
    return {**found, "subAttributes": below} if below else found


def test_doctor_writes_the_rows_that_a_profile_begins_with(tmp_path: Path) -> None:
    rows = [
        described("badge", "string"),
        described("desks", "complex", "value", "display", many=True),
        described("doors", "complex", "value", "type", many=True),
        described("car", "complex", "plate"),
        described("since", "string", mutability="readOnly"),
        described("floors", "integer", many=True),
        described("active", "boolean"),
    ]
    document = {"id": "urn:acme:2.0:User", "name": "Acme", "description": "Ours", "attributes": rows}
    service = open_sandbox(None, schemas={"User": [document]})
    folder = quick(tmp_path)
    with closing(service), serve(service) as server:
        settings = f"targets:\n  prod: {{profile: rfc, url: {server.url}/scim/v2}}\n"
        folder.write("reconciler.yaml", settings)
        folder.write("identities/a.yaml", "users:\n  ann: {userName: ann@example.com, displayName: Ann}\n")
        told = folder.run("doctor", "--format", "json")
        (check,) = (each for each in json.loads(told.out)["targets"][0]["checks"] if each["check"] == "schemas")
        assert check["summary"] == "the target has 5 attributes that the profile does not know"
        first, *lines = check["mend"].splitlines()
        assert "begin a profile of your own" in first
        assert lines == [
            "users:",
            "  attributes:",
            '    - {name: badge, kind: text, schema: "urn:acme:2.0:User"}',
            '    - {name: desks, kind: names, schema: "urn:acme:2.0:User"}',
            '    - {name: doors, kind: keyed, parts: [value], schema: "urn:acme:2.0:User"}',
            '    - {name: car, kind: complex, parts: [plate], schema: "urn:acme:2.0:User"}',
            '    - {name: floors, kind: json, schema: "urn:acme:2.0:User"}',
        ]
        folder.write("profiles/acme.yaml", "\n".join(["name: acme", "title: Acme", *lines, ""]))
        folder.write("reconciler.yaml", settings.replace("rfc", "profiles/acme.yaml"))
        ann = "badge: B1, desks: [D1], doors: {front: F1}, car: {plate: P}, floors: [1, 2]"
        folder.write("identities/a.yaml", f"users:\n  ann: {{userName: ann@example.com, displayName: Ann, {ann}}}\n")
        known = folder.run("doctor").out
        assert "knows every attribute" in known
        assert "profile acme (profiles/acme.yaml)" in known
        made = folder.run("apply", "--auto-approve")
        assert made.code == 0, made.out + made.err
        assert folder.run("plan", "--detailed-exitcode").code == 0
        (stored,) = (each for each in service.dump()["User"] if each["userName"] == "ann@example.com")
        assert stored["urn:acme:2.0:User"]["floors"] == [1, 2]


def test_doctor_reads_schemas_of_any_shape() -> None:
    strange: list[Any] = [5, {}, {"id": 5}, {"id": "urn:x", "attributes": [5, {"name": 5}]}]
    odds: list[dict[str, Any]] = [{}, {"Resources": 5}, {"Resources": strange}]
    for odd in odds:
        assert unknown_attributes(odd, None, RFC) == {}
        assert unknown_attributes(odd, odd, RFC) == {}
    rows = [{"name": "a}\n- {b", "type": "string"}, {"name": "ok", "type": []}]
    evil: dict[str, Any] = {"id": "urn:x", "attributes": rows}
    assert unknown_attributes({"resources": [evil]}, None, RFC) == {
        ResourceType.USER: ['- {name: ok, kind: json, schema: "urn:x"}']
    }
