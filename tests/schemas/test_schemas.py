"""Judging by a published schema: alternatives, secrets, places, and where schemas come from."""

from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler import schemas
from reconciler.model import Address, ResourceType
from reconciler.schemas.judging import Hint
from reconciler.schemas.words import Fault, named, word
from reconciler.yamlsource import read_yaml

FOLDER = Path(reconciler.__file__).parents[1] / "schemas"


def found(name: str, text: str, **more: Any) -> list[tuple[str, str, str, int, int]]:
    file = read_yaml(text.encode(), "f.yaml")
    (document,) = file.documents
    return [
        (each.code, each.summary, each.mend, each.source.line, each.source.column)
        for each in schemas.problems(name, document, file.places, **more)
    ]


def test_every_published_schema_can_be_had_by_name() -> None:
    assert schemas.schema_names() == tuple(sorted(each.name.partition(".")[0] for each in FOLDER.glob("*.schema.json")))
    for name in schemas.schema_names():
        assert schemas.schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    with pytest.raises(ValueError, match="there is no schema identites"):
        schemas.schema("identites")


def test_of_alternatives_the_likeliest_is_explained() -> None:
    """The plan's schema offers several kinds of operation; the one that was meant is the one that is spoken of."""
    (plan,) = (each for each in schemas.schema_names() if each == "plan")
    reported = found(plan, "drift: []\noperations:\n  - {kind: create, number: one}\n")
    assert {line for *_, line, _ in reported} <= {1, 3}
    assert any(line == 3 for *_, line, _ in reported)
    assert all(summary and "anyOf" not in summary and "oneOf" not in summary for _, summary, *_ in reported)


def test_a_scope_names_the_resource_and_shortens_the_path() -> None:
    file = read_yaml(b"users:\n  ann: {userName: a@x.io, emails: {work: [x]}}\n", "f.yaml")
    ann = Address(ResourceType.USER, "ann")
    (only,) = schemas.problems("identities", file.documents[0], file.places, scope=lambda where: (ann, where[2:]))
    assert (only.address, only.summary.partition(" ")[0]) == (ann, "emails.work")
    (whole,) = schemas.problems("identities", file.documents[0], file.places)
    assert whole.summary.startswith("users.ann.emails.work ")


def test_a_hint_stands_for_an_unknown_key_but_not_for_another_case() -> None:
    hints = {"users": Hint(code="x", why="", mend="no"), "people": Hint(code="y", why="", mend="write users:")}
    assert found("identities", "people: {}\nUsers: {}\n", hints=hints) == [
        ("y", "there is no key people", "write users:", 1, 1),
        ("unknown-key", "there is no key Users", "did you mean users?", 2, 1),
    ]


def test_secrets_are_not_repeated() -> None:
    node = {"type": "string", "pattern": "^env:", "writeOnly": True, "errorMessage": "must be env:NAME"}
    code, summary, *_ = word(Fault(("token",), "pattern", node, "s3cr3t"), ("token",), "")
    assert (code, summary) == ("wrong-form", "token must be env:NAME, not what stands there")


@pytest.mark.parametrize(
    ("keyword", "node", "value", "summary"),
    [
        ("minimum", {"minimum": 1}, 0, "a must be at least 1, not 0"),
        ("exclusiveMinimum", {"exclusiveMinimum": 1}, 1, "a must be more than 1, not 1"),
        ("maximum", {"maximum": 5}, 6, "a must be at most 5, not 6"),
        ("exclusiveMaximum", {"exclusiveMaximum": 5}, 5, "a must be less than 5, not 5"),
        ("const", {"const": 1}, 2, "a must be 1, not 2"),
        ("enum", {"enum": ["x", "y", "z"]}, "w", 'a must be x, y or z, not "w"'),
        ("pattern", {"pattern": "^x"}, "y" * 50, f'a has another form than it must have, not "{"y" * 39}…"'),
        ("type", {"type": ["integer", "null"]}, "x", 'a must be a whole number or null, not "x"'),
        ("uniqueItems", {}, [1, 1], "a holds a value twice"),
        ("falseSchema", {}, 1, "a cannot be written here"),
        ("minItems", {"minItems": 1}, [], "a holds nothing"),
    ],
)
def test_words_without_a_sentence_of_the_schemas_own(keyword: str, node: object, value: object, summary: str) -> None:
    assert word(Fault(("a",), keyword, node, value), ("a",), "")[1] == summary


def test_paths_as_people_read_them() -> None:
    assert named(("members", 2, "until")) == "members item 3.until"
    assert named(()) == ""
