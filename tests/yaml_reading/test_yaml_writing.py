"""What is written is one row for each value, holds nothing that is not to be seen, and is read back as the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.yamlsource import read_yaml, rows, written
from tests.properties.effort import examples

TEXTS = [
    *("no", "null", "~", "true", "True", "1e3", "02142", "000189", "2026-01-02", "- x", "# x", "a #b", "a: b", "{a}"),
    *("a\nb", "\nr", "a\r\nb", "x\ty", " a ", "\u202ex", "\u200b", "\ue000", "\U000e0001", "é\n", "'", '"', "\\"),
    *("x" * 3_000, "y " * 3_000, "", "<<", "=", "---", "&a", "*a", "!a", "|", "%a", "@a", "`a"),
]
ANY_TEXT = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"]))
LIVE = ANY_TEXT.filter(lambda text: text not in ("", "<<"))  # of keys these two are words of YAML


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_one_row_that_can_be_seen(text: str) -> None:
    row = written({"a": text, "b": [text], text or "c": "x"})
    assert row.isprintable()
    assert "\n" not in row


@examples(300)
@given(value=st.recursive(ANY_TEXT, lambda each: st.lists(each) | st.dictionaries(LIVE, each), max_leaves=8))
def test_whatever_is_written_is_read_back(value: Any) -> None:
    lines = list(rows("name", value, 2))
    assert all(line.isprintable() for line in lines)
    found = read_yaml(("top:\n" + "\n".join(lines) + "\n").encode(), "")
    if all(each.code == "control-character" for each in found.diagnostics):
        assert found.documents == ({"top": {"name": composed(value)}},)
    else:
        assert not found.diagnostics


def composed(value: Any) -> Any:
    """Keys are read in their composed form."""
    from unicodedata import normalize

    if isinstance(value, dict):
        return {normalize("NFC", key): composed(each) for key, each in value.items()}
    return [composed(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("000142", "'000142'"),
        ("000189", "'000189'"),
        ("Agent", "Agent"),
        ("a\nb", '"a\\nb"'),
        ("\u202ex", '"\\u202Ex"'),
        ("\U000e0001", '"\\U000E0001"'),
        ("é", "é"),
    ],
)
def test_how_texts_look(text: str, expected: str) -> None:
    assert written({"a": text}) == f"{{a: {expected}}}"
