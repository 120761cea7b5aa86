"""The page has every code of the source and no other, and no code escapes the reading of the source."""

import re

from reconciler.record.history import Relation
from reconciler.schemas import schema
from tests.diagnostics.codes import DYNAMIC, codes, ends, unexplained, unread
from tests.diagnostics.page import PAGE, heard, page
from tests.diagnostics.repositories import blessing

_ROW = re.compile(r"^(?:## .*|\| `([\w-]+)` \|.*)$", re.MULTILINE)
_PUT_TOGETHER = {
    "applying.keeping: '; '.join(_mends(change, lost, profile))",
    "checkup: '\\n'.join(lines)",
    "planfile.shape: TEXT",
    "recording: mend",
    "rendering.masking: self.names(mend)",
    "schemas.judging: mend",
}
"""Mends that are made of many words on the way, or that were given elsewhere."""


def outline(text: str) -> list[str]:
    """Headings and codes in their order; sentences may change until somebody writes the page again."""
    return [each[1] or each[0] for each in _ROW.finditer(text)]


def without_mend(text: str) -> list[str]:
    """The code of each row that says no mend; "" for the end of a run."""
    return re.findall(r"^\| (?:`([\w-]+)` \| )?.*\|  \|$", text, re.MULTILINE)


def test_the_page_has_every_code_and_no_other() -> None:
    """Set BLESS=1 to write it again."""
    made = page()
    if blessing():
        PAGE.write_text(made, encoding="utf-8")
    assert outline(PAGE.read_text(encoding="utf-8")) == outline(made)
    known = {each.code for each in codes()}
    assert {each for each in outline(made) if not each.startswith("#")} == known
    assert without_mend(PAGE.read_text(encoding="utf-8")) == without_mend(made)
    assert made.count("what is said | what to do") == len({each.code for each in ends()})
    # nearly all examples are what a run really said, and what was said has a code that the reading finds
    assert {code for code, _ in heard()} <= known
    assert len({code for code, _ in heard()}) > 0.7 * len(known)
    assert len(re.findall(r"^\| `[\w-]+` \|  \|", made, re.MULTILINE)) <= 3


def test_no_code_is_made_in_a_way_that_the_reading_cannot_follow() -> None:
    assert unexplained() == []
    assert set(DYNAMIC["checkout", "value"]) == {Relation.BEHIND.value, Relation.DIVERGED.value}


def test_no_mend_is_given_in_words_that_the_reading_does_not_find() -> None:
    assert set(unread()) == _PUT_TOGETHER


def test_the_schema_of_acceptances_names_every_rule() -> None:
    rules = {each.code for each in codes() if each.kind == "rule"}
    assert set(schema("acceptances")["items"]["properties"]["rule"]["enum"]) == rules
