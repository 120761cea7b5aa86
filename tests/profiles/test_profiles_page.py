"""docs/profiles.md is real: its example runs, its tables are the schema and the profile rfc. BLESS=1 writes both."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, UNSET
from msgspec.structs import fields

import reconciler
from reconciler.profiles.conversion import camel_case
from reconciler.profiles.profile import RFC
from reconciler.scim.attributes import Attribute
from tests.cli.test_cli_page import with_part
from tests.conftest import Folder

ROOT = Path(reconciler.__file__).parents[1]
PAGE = ROOT / "docs" / "profiles.md"
SCHEMA = json.loads((ROOT / "schemas" / "profile.schema.json").read_text("utf-8"))
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.M | re.S)
HEADING = ("| key | value | in `rfc` | meaning |", "| --- | --- | --- | --- |")


def test_the_page_quotes_what_the_code_says() -> None:
    source = "".join(each.read_text("utf-8") for each in sorted((ROOT / "reconciler").rglob("*.py")))
    quoted = re.findall(r"^\| `((?:[a-z]+ ){3,})", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(quoted) > 3
    assert [each for each in quoted if each not in source] == []


def test_the_tables_are_the_schema() -> None:
    written = PAGE.read_text(encoding="utf-8")
    page = with_part(written, "keys", keys())
    if os.environ.get("BLESS") == "1":
        PAGE.write_text(page, encoding="utf-8")
    else:
        assert written == page, "docs/profiles.md is not what the schema says: run this test with BLESS=1"


def test_users_and_groups_have_the_same_keys() -> None:
    """So one table tells of both; what is of users only says so."""
    users, groups = (SCHEMA["properties"][each]["properties"] for each in ("users", "groups"))
    assert {key: node for key, node in users.items() if not node["description"].endswith("Of users only.")} == groups


def test_the_page_names_keys_that_exist() -> None:
    told = PAGE.read_text(encoding="utf-8").partition("## Every key")[0]
    named = re.findall(r"`(wire|users|groups|membership|lifecycle)\.(\w+)`", told)
    assert len(named) > 5
    assert [each for each in named if each[1] not in SCHEMA["properties"][each[0]]["properties"]] == []


def test_the_example_is_real(folder: Folder) -> None:
    written = PAGE.read_text(encoding="utf-8")
    page = BLOCK.sub(lambda found: block(found, folder), written)
    if os.environ.get("BLESS") == "1":
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")
    assert re.search(r"^  ~ desks +\+ D1$", page, re.M)
    assert "No changes." in page


def block(found: re.Match[str], folder: Folder) -> str:
    """The block as it is now: a file is written, a command is run."""
    kind, body = found.groups()
    first, _, _ = body.partition("\n")
    if kind == "yaml":
        folder.write(first.removeprefix("# "), body)
    else:
        command, _, last = first.removeprefix("$ reconciler ").partition(" | tail -")
        said = folder.run(*command.split()).out.splitlines(keepends=True)
        body = "".join([f"{first}\n", *said[-int(last) :]])
    return f"```{kind}\n{body}```"


def keys() -> Iterator[str]:
    """The tables, as the schema has its keys."""
    top, written = SCHEMA["properties"], SCHEMA["required"]
    yield from ("", *HEADING)
    for key, node in top.items():
        if "properties" not in node:
            yield row(key, node, "needed" if key in written else "")
    for section in ("wire", "users", "membership", "lifecycle"):
        both = section == "users"
        yield from ("", "### `users` and `groups`" if both else f"### `{section}`", "")
        yield from (top[section]["description"] + (" The same keys for groups." if both else ""), "", *HEADING)
        for key, node in top[section]["properties"].items():
            yield row(key, node, default_in(section, key))
    attribute = SCHEMA["$defs"]["attribute"]
    yield from ("", "### A row of `attributes`", "", attribute["description"], "", *HEADING)
    defaults = {camel_case(each.name): each.default for each in fields(Attribute)}
    for key, node in attribute["properties"].items():
        unset = defaults[key] in (NODEFAULT, UNSET)
        yield row(key, node, "needed" if unset else "the core schema" if key == "schema" else shown(defaults[key]))
    yield ""


def row(key: str, node: Mapping[str, Any], default: str) -> str:
    return f"| `{key}` | {values(node)} | {default} | {node['description']} |".replace("|  |", "| |")


def default_in(section: str, key: str) -> str:
    if key == "attributes":
        return "the standard's"
    names = {camel_case(each.name): each.name for each in fields(type(getattr(RFC, section)))}
    own = shown(getattr(getattr(RFC, section), names[key]))
    groups = shown(getattr(RFC.groups, names[key])) if section == "users" else own
    return own if own == groups else f"{own}; groups: {groups}"


def values(node: Mapping[str, Any]) -> str:
    """What may stand there, in words."""
    if "$ref" in node:
        return "row, see below"
    if "enum" in node:
        return ", ".join(f"`{each}`" for each in node["enum"])
    types = [node["type"]] if isinstance(node["type"], str) else list(node["type"])
    least = f" from {node['minimum']}" if "minimum" in node else ""
    words = {
        "string": "text",
        "boolean": "`true`, `false`",
        "integer": f"whole number{least}",
        "number": f"number{least}",
        "null": "`null`",
    }
    if types == ["array"]:
        return f"list of {values(node['items'])}".replace("number ", "numbers ").replace("row,", "rows,")
    if types == ["object"]:
        return f"name -> {values(node['additionalProperties'])}"
    return " or ".join(words[each] for each in types)


def shown(value: Any) -> str:
    """A default as YAML would hold it."""
    return f"`{yaml_of(value)}`" if value != "" else ""


def yaml_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(yaml_of(each) for each in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {yaml_of(each)}" for key, each in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
