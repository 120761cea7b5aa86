"""The published schema of declarations: its names are the attribute tables' and ours, and the page tells of all."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import reconciler
from reconciler.declarations import check_declarations, load_declarations
from reconciler.declarations.loading import HINTS
from reconciler.profiles.loading import load_profile, profile_names
from reconciler.scim.attributes import Kind
from tests.declarations.declaring import GENESYS, HERE, problems, written
from tests.declarations.test_bad_declarations import EVERYWHERE, ON_GENESYS

ROOT = Path(reconciler.__file__).parents[1]
SCHEMA = json.loads((ROOT / "schemas" / "identities.schema.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "declarations.md").read_text("utf-8")
DEFINITIONS = SCHEMA["$defs"]

LIFECYCLE = {"active", "startsOn", "endsOn", "deleteAfter", "timeZone"}
OF_USERS = LIFECYCLE | {"from", "without", "targets", "formerly", "overrides", "groups"}
OF_GROUPS = {"memberRule", "membership", "targets", "formerly", "overrides"}
NOT_IN_TEMPLATES = {"from", "userName", "targets", "formerly", "overrides"}
NOT_IN_OVERRIDES = {"from", "without", "targets", "formerly", "overrides"}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(each)


OBJECTS = [each for each in nodes(SCHEMA) if isinstance(each.get("properties"), dict) and "type" in each]
PROPERTIES = sorted({name for each in OBJECTS for name in each["properties"]})


def known(kind: str) -> set[str]:
    """The attribute names of all shipped profiles."""
    profiles = [load_profile(name) for name in profile_names()]
    return {each.name for profile in profiles for each in getattr(profile, kind).table.attributes}


def names(definition: str) -> set[str]:
    return set(DEFINITIONS[definition]["properties"])


def test_the_names_are_those_of_the_attribute_tables_and_our_own_words() -> None:
    assert names("user") == known("users") | OF_USERS
    assert names("template") == names("user") - NOT_IN_TEMPLATES
    assert names("userOverride") == names("user") - NOT_IN_OVERRIDES
    assert names("group") == known("groups") | OF_GROUPS
    assert names("groupOverride") == names("group") - {"targets", "formerly", "overrides"}
    assert set(SCHEMA["properties"]) == {"templates", "users", "groups", "released"}


@pytest.mark.parametrize("profile", profile_names())
def test_parts_and_lists_are_those_of_the_tables(profile: str) -> None:
    table = load_profile(profile).users.table
    lists = {each.name for each in table.attributes if each.is_list}
    assert lists | {"groups"} <= set(DEFINITIONS["without"]["properties"])
    assert lists - {"x509Certificates"} <= set(DEFINITIONS["memberRule"]["properties"])
    for each in table.attributes:
        node = DEFINITIONS[each.name]
        if each.kind is Kind.COMPLEX:
            assert set(node["properties"]) == set(each.parts)
        if each.kind is Kind.KEYED:
            assert set(each.parts) <= set(node["additionalProperties"]["properties"])
        if each.kind is Kind.LEVELS:
            assert node["additionalProperties"]["maximum"] == each.maximum
        if each.kind is Kind.TEXT:
            assert {"string", "number", "boolean"} <= set(node["type"])
            assert each.name in DEFINITIONS["memberRule"]["properties"]


def test_the_schema_is_valid_closed_and_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for each in OBJECTS:
        assert each["additionalProperties"] is False
        for name, below in each["properties"].items():
            target = DEFINITIONS[below["$ref"].rpartition("/")[2]] if "$ref" in below else {}
            assert {"title", "description"} <= {*below, *target}, name


def test_the_examples_in_the_schema_are_valid() -> None:
    for each in nodes(SCHEMA):
        for example in each.get("examples", ()) if isinstance(each.get("examples"), list) else ():
            found = jsonschema.Draft202012Validator({**each, "$defs": DEFINITIONS}).iter_errors(example)
            assert list(found) == []


@pytest.mark.parametrize(
    "value", [{"employeeNumber": 142}, {"department": False}, {"phoneNumbers": {"work": 9001}}, {"roles": [1, "a"]}]
)
def test_editors_that_read_numbers_stay_quiet(value: dict[str, Any]) -> None:
    document = {"users": {"a": {"userName": "a@x.io", **value}}}
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


# --- the page


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_page_tells_of_every_key(name: str) -> None:
    assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", PAGE), f"docs/declarations.md does not tell of {name}"


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_on_the_page_are_sound(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path, text)
    target = type(HERE)(name="production-us", profile="genesys", url="sandbox:")
    declarations = load_declarations(folder, ["identities"])
    checked = check_declarations(declarations, [(target, GENESYS)], known_targets={"production-us", "production-emea"})
    assert (*declarations.diagnostics, *checked) == ()


def test_the_page_lists_every_code_and_no_other() -> None:
    tables = PAGE.partition("## What is reported")[2]
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", tables, re.MULTILINE))
    assert listed == codes_in_the_code()


def test_every_code_on_a_line_is_tried() -> None:
    tried = {code for _, codes in (*EVERYWHERE.values(), *ON_GENESYS.values()) for code in codes.split()}
    elsewhere = {
        "no-such-folder", "empty-folder", "empty-file", "link-outside", "not-a-file", "wrong-suffix", "unreadable-file",
        "unreadable-folder", "slow-yaml", "file-too-large", "not-utf-8", "too-deep", "too-many-aliases",
        "not-for-target", "coming-days", "groups-cannot-be-deleted",
    }  # fmt: skip
    never = {"not-here"}  # for schemas that forbid a value outright; this one does not
    assert codes_in_the_code() - elsewhere - never == tried


def codes_in_the_code() -> set[str]:
    """The words that stand where a code is expected: stable, kebab-case, in the modules that report."""
    root = ROOT / "reconciler"
    paths = [
        *sorted((root / "declarations").glob("*.py")),
        *sorted((root / "yamlsource").glob("*.py")),
        root / "schemas" / "words.py",
    ]
    texts = {
        node.value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    words = {each for each in texts if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", each) and each != "utf-8"}
    return words | {"tag", "password", "contradiction"}


# --- sentences


@pytest.mark.parametrize(
    ("lines", "summary", "mend"),
    [
        ("tilte: x", "there is no key tilte in user.ann", "did you mean title?"),
        ("skills: {x: 1}", "there is no key skills in user.ann", "did you mean routingSkills?"),
        ("name: {giveName: x}", "there is no key giveName in name", "did you mean givenName?"),
        (
            "routingSkills: {Billing: high}",
            'routingSkills.Billing must be a number from 0 to 5, not "high"',
            "",
        ),
        (
            'routingSkills: {Billing: "4"}',
            'routingSkills.Billing must be a number from 0 to 5, not "4"',
            "take the quotes away: in quotes it is text",
        ),
        ("title: true", "title must be text, not true", 'write "true" in quotes if it is text'),
        ("roles: Agent", 'roles must be a list, not "Agent"', "write [Agent], or one item a line with a dash"),
        ("roles: [{a: b}]", "roles item 1 must be text, not a mapping", ""),
        ('title: ""', "title is an empty text", "write null to clear, or take the line out"),
        ("startsOn: soon", 'startsOn must be a date such as 2026-12-31, not "soon"', ""),
        ("active: yes", 'active must be true or false, not "yes"', "write true, without quotes"),
        ('active: "False"', 'active must be true or false, not "False"', "write false, without quotes"),
        ("username: x", "there is no key username in user.ann", "did you mean userName?"),
        ("timeZone: Europe/Berlni", 'there is no time zone "Europe/Berlni"', "did you mean Europe/Berlin?"),
        ("manager: {liv: x}", "there is no key liv in manager", "did you mean live?"),
    ],
)
def test_sentences_help(tmp_path: Path, lines: str, summary: str, mend: str) -> None:
    text = f"users:\n  ann: {{userName: a@x.io, displayName: A, {lines}}}\n"
    found = problems(tmp_path, text, GENESYS)[0]
    assert (found.summary, found.mend) == (summary, mend)
    assert str(found.address) == "user.ann"


def test_hints_are_for_keys_that_the_schema_has_not() -> None:
    everywhere = set.intersection(*(names(each) for each in ("user", "template", "userOverride")))
    assert not set(HINTS) & everywhere
