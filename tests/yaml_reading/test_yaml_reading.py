"""The YAML reader: what plain and quoted scalars mean, where things stand, and what no input may do."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.yamlsource import MAX_BYTES, Quoted, YamlFile, events, number, read_yaml


def read(text: str) -> Any:
    file = read_yaml(text.encode(), "f.yaml")
    assert file.diagnostics == ()
    (document,) = file.documents
    return document


def codes(data: bytes) -> list[tuple[str, int, int]]:
    file = read_yaml(data, "f.yaml")
    return [(each.code, each.source.line, each.source.column) for each in file.diagnostics]


@pytest.mark.parametrize(
    "text",
    ["no", "on", "off", "yes", "NO", "02142", "000008", "1e3", "12_000", "1:30", "2026-01-02", "0x1f", ".5", "1.",
     ".inf", "+44", "-x", "Agent#2", "a#b", "http://x.io/#a", "=", "y", "N", "nUll", "truE", "3.10"],
)  # fmt: skip
def test_plain_scalars_are_text_exactly_as_written(text: str) -> None:
    assert read(f"a: {text}") == {"a": text}
    assert read(f"- {text}") == [text]
    assert read(f"{text}: a") == {text: "a"}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("null", None), ("~", None)])
def test_four_words_are_special_unless_they_are_quoted_or_keys(text: str, value: object) -> None:
    assert read(f"a: {text}") == {"a": value}
    assert read(f"a: '{text}'") == {"a": text}
    assert read(f'a: "{text}"') == {"a": text}
    assert read(f"{text}: a") == {text: "a"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-1", -1), ("4.5", 4.5), ("1e3", 1000.0), ("02142", None), ("+1", None), (".5", None), ("1.", None),
     ("0x1f", None), ("1_000", None), ("1e999", None), ("9" * 5000, None), ("\u0661", None), ("", None), ("NaN", None)],
)  # fmt: skip
def test_numbers_follow_the_grammar_of_json(text: str, value: float | None) -> None:
    assert number(text) == value
    assert number(Quoted(text)) is None


def test_quoted_numbers_stay_text_and_say_so() -> None:
    document = read("a: \"142\"\nb: '142'\nc: 142\nd: |\n  142\ne: |-\n  142\n")
    assert document == {"a": "142", "b": "142", "c": "142", "d": "142\n", "e": "142"}
    assert [type(each) is Quoted for each in document.values()] == [True, True, False, False, True]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_dumped_text_comes_back_exactly(text: str) -> None:
    """`load(dump(x)) == x`, also for '0000008', 'null', '~' and '1:30'."""
    dumped = yaml.safe_dump({"a": text, "l": [text]}, allow_unicode=True)
    file = read_yaml(dumped.encode(), "f")
    if not file.diagnostics:
        assert file.documents == ({"a": text, "l": [text]},)
    else:
        refused = {each.code for each in file.diagnostics}
        assert refused <= {"unclear-word", "control-character", "glued-comment"}


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1))
def test_json_text_comes_back_exactly(text: str) -> None:
    try:
        data = json.dumps({"a": text}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        data = json.dumps({"a": text}).encode()
    file = read_yaml(data, "f")
    assert file.documents == ({"a": text},) or {each.code for each in file.diagnostics} == {"control-character"}


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="abc:-#[]{}&*!|>'\"%@` \t\n,?<~0", max_size=80).map(str.encode))
def test_nothing_escapes_whatever_the_bytes(data: bytes) -> None:
    file = read_yaml(data, "f")
    assert isinstance(file, YamlFile)
    lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\xc2\x85") + data.count(b"\xe2\x80") + 2
    for each in file.diagnostics:
        assert each.summary
        assert each.code
        assert 1 <= each.source.line <= lines


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-#[]{}&*!'\" \n,<", max_size=60))
def test_both_parsers_agree(text: str) -> None:
    """Without libyaml the same documents come out, slowly."""
    fast = read_yaml(text.encode(), "f")
    parser, events.FAST_PARSER = events.FAST_PARSER, None
    try:
        slow = read_yaml(text.encode(), "f")
    finally:
        events.FAST_PARSER = parser
    if not fast.diagnostics and not slow.diagnostics:
        assert fast.documents == slow.documents


def test_places_of_keys_values_items_and_containers() -> None:
    file = read_yaml(b"users:\n  ann:\n    title: Lead\n    roles: [a, b]\n    skills:\n      - x\n", "f.yaml")
    users = file.documents[0]["users"]
    ann, places = users["ann"], file.places

    def at(place) -> tuple[int, int]:
        assert place.path == "f.yaml"
        return place.line, place.column

    assert at(places.key(users, "ann")) == (2, 3)
    assert at(places.value(users, "ann")) == at(places.of(ann)) == (3, 5)
    assert at(places.key(ann, "title")) == (3, 5)
    assert at(places.value(ann, "title")) == (3, 12)
    assert at(places.value(ann["roles"], 1)) == (4, 16)
    assert at(places.value(ann["skills"], 0)) == (6, 9)


def test_columns_count_characters_and_a_byte_order_mark_counts_nothing() -> None:
    file = read_yaml("\ufeffé: {ü: x}".encode(), "f")
    inner = file.documents[0]["é"]
    assert (file.places.key(inner, "ü").column, file.places.value(inner, "ü").column) == (5, 8)


def test_anchors_aliases_and_merges() -> None:
    document = read(
        """
        base: &base {title: Agent, division: EMEA}
        more: &more {division: US, team: x}
        a: {<<: *base, division: APAC}
        b: {<<: [*base, *more]}
        c: &name Lead
        d: *name
        e: *base
        """
    )
    assert document["a"] == {"title": "Agent", "division": "APAC"}
    assert document["b"] == {"title": "Agent", "division": "EMEA", "team": "x"}
    assert (document["d"], document["e"]) == ("Lead", document["base"])
    assert read("{'<<': x}") == {"<<": "x"}


def test_merged_lines_stand_where_they_were_written() -> None:
    file = read_yaml(b"a: &a {title: x}\nb:\n  <<: *a\n", "f")
    assert file.places.key(file.documents[0]["b"], "title").line == 1


def test_anchors_do_not_reach_into_the_next_document() -> None:
    assert codes(b"a: &a x\n---\nb: *a\n") == [("unknown-alias", 3, 4)]


def test_expansion_is_bounded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    ((code, line, _),) = codes(bomb.encode())
    assert (code, line) == ("too-many-aliases", 5)
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))
    assert [code for code, *_ in codes(deep.encode())] == ["too-deep"]


@pytest.mark.parametrize("text", ["[" * 60, "[" * 100_000, "{a: " * 100_000, "- " * 60 + "x", "? " * 1000])
def test_depth_is_bounded(text: str) -> None:
    found = codes(text.encode())
    assert found
    assert {code for code, *_ in found} <= {"too-deep", "complex-key", "yaml-syntax"}


def test_size_is_bounded_before_anything_is_parsed() -> None:
    assert codes(b"x" * (MAX_BYTES + 1)) == [("file-too-large", 1, 1)]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: b\nc: M\xfcller\n", (2, 5)),
        ("é: ".encode() + b"\xff", (1, 4)),
        ("a: b".encode("utf-16"), (1, 1)),
        (b"a: \xed\xa0\x80", (1, 4)),
    ],
)
def test_other_encodings_are_refused_at_the_byte(data: bytes, place: tuple[int, int]) -> None:
    assert codes(data) == [("not-utf-8", *place)]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n---\n"])
def test_empty_files_are_empty_not_wrong(text: str) -> None:
    file = read_yaml(text.encode(), "f")
    assert file.empty
    assert file.documents == ()


@pytest.mark.parametrize(
    "text",
    ["a: b # comment", "a: 'b' #c", "a: b  ## heading", "# a\na: b", "a: [b, c] #x", "a: |\n  b #c\n", "a: \"b #c\"",
     "a: b\t# c", "a: b #", "a:  # c\n  b: d"],
)  # fmt: skip
def test_comments_that_are_plainly_comments_are_welcome(text: str) -> None:
    assert read_yaml(text.encode(), "f").diagnostics == ()


@pytest.mark.parametrize("text", ["a: |\n  x\n  \ty\n", "a: 'x\n  \ty'", "a:\tb", "a: [x,\ty]"])
def test_tabs_that_are_no_indentation_are_welcome(text: str) -> None:
    assert read_yaml(text.encode(), "f").diagnostics == ()


def test_no_sentence_of_the_parser_gets_through() -> None:
    foreign = re.compile(r"expected|while (parsing|scanning)|not allowed in this context|<|mapping values")
    for text in (
        "a: b: c",
        "a: [",
        "a: {",
        "a: 'x",
        "- a\nb: c",
        "a: @",
        "a: ]",
        "%X",
        "a: &",
        "!<",
        "a: *",
        "a\nb: c",
    ):
        for each in read_yaml(text.encode(), "f").diagnostics:
            assert not foreign.search(each.summary + each.detail), each


@pytest.mark.parametrize("name", ["merge", "dropped"])
def test_no_key_of_a_file_passes_for_a_mark_of_the_reader(name: str) -> None:
    assert read(f'a: {{"\\0{name}": {{b: c}}, d: e}}') == {"a": {f"\0{name}": {"b": "c"}, "d": "e"}}


@pytest.mark.parametrize("text", ["a: b\na:\n", "a: b\na: *x\n", "[a]:\n", ":\n"])
def test_what_stands_under_a_key_that_is_left_out_is_not_missing_as_well(text: str) -> None:
    file = read_yaml(text.encode(), "f.yaml")
    assert file.diagnostics
    assert not any(file.places.hidden(each) for each in file.documents)


def test_repeated_keys_name_both_lines() -> None:
    (found,) = read_yaml(b"members: [a, b, c]\nx: y\nmembers: [a]\n", "f").diagnostics
    assert found.summary == "members stands twice in this mapping: here and on line 1"
    assert found.source.line == 3
