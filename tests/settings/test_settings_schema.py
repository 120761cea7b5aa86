"""The published schema of the settings: it says what the loader says, and the page about settings says it all."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.profiles.loading import profile_names
from tests.settings.test_settings_loading import BAD, POLICIES, load

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "settings.schema.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "settings.md").read_text("utf-8")
BY_SCHEMA = frozenset(
    {"unknown-key", "wrong-type", "wrong-value", "wrong-form", "bad-key", "nothing-in-it", "out-of-range", "empty-text"}
)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict):
        yield node
    for each in below:
        yield from nodes(each)


OBJECTS = [each for each in nodes(SCHEMA) if each.get("type") == "object"]
PROPERTIES = sorted({name for each in OBJECTS for name in each.get("properties", {})})


def examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_schema_is_valid_closed_and_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for each in OBJECTS:
        assert "additionalProperties" in each
        assert each["additionalProperties"] is not True
        for name, below in each.get("properties", {}).items():
            target = SCHEMA["$defs"][below["$ref"].rpartition("/")[2]] if "$ref" in below else {}
            assert {"title", "description"} <= {*below, *target}, name


def test_the_schema_names_the_profiles_that_exist() -> None:
    assert SCHEMA["$defs"]["target"]["properties"]["profile"]["anyOf"][0]["enum"] == list(profile_names())
    assert all(each in SCHEMA["$defs"]["target"]["properties"]["profile"]["errorMessage"] for each in profile_names())


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_page_tells_of_every_key(name: str) -> None:
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", PAGE), f"docs/settings.md does not tell of {name}"


@pytest.mark.parametrize("text", examples())
def test_the_examples_of_the_page_can_be_loaded(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).targets
    jsonschema.validate(yaml.safe_load(text), SCHEMA)


def test_the_page_has_examples() -> None:
    assert len(examples()) >= 2


def test_the_repositorys_own_settings_fit() -> None:
    jsonschema.validate(yaml.safe_load((ROOT / "reconciler.yaml").read_text("utf-8")), SCHEMA)


@pytest.mark.parametrize(("top", "own"), [each[:2] for each in POLICIES])
def test_an_editor_accepts_what_the_loader_accepts(top: str, own: str) -> None:
    target = f"one: {{profile: rfc, url: 'sandbox:', policy: {{{own}}}}}"
    jsonschema.validate(yaml.safe_load(f"policy: {{{top}}}\ntargets: {{{target}}}"), SCHEMA)


REFUSED = [
    text
    for text, expected in BAD
    if {code for *_, code in expected} <= BY_SCHEMA and "one:" in text and "---" not in text
]


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_an_editor_refuses_what_the_schema_refuses(text: str) -> None:
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(text)))


def test_an_editor_refuses_much_of_it() -> None:
    assert len(REFUSED) >= 40
