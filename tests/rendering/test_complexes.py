"""The members in which two complex values differ, and the line of a plan that names them."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Action, Address, AttributeChange, Cause, Change, PatchOp, ResourceType
from reconciler.rendering.complexes import differing_members
from reconciler.rendering.lines import change_lines, drift_lines
from reconciler.scim.values import canonical_json, same_value


@pytest.mark.parametrize(
    ("before", "after", "members"),
    [
        ({"colour": "red", "size": 1}, {"colour": "blue", "size": 1}, ['colour = "red" -> "blue"']),
        ({"colour": "red"}, {"colour": "red", "size": 2}, ["+ size = 2"]),
        ({"colour": "red", "size": 2}, {"colour": "red"}, ["- size = 2"]),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 2, "d": 2}}}, ["a.b.c = 1 -> 2"]),
        ({"a": {"b": 1}}, {"a": {}}, ["- a.b = 1"]),
        ({"valid": True}, {"valid": 1}, ["valid = true -> 1"]),
        ({"valid": True}, {"valid": "true"}, ['valid = true -> "true"']),
        ({"size": 1}, {"size": 1.5}, ["size = 1 -> 1.5"]),
        ({"flags": [False, True]}, {"flags": [0, True]}, ["flags[0] = false -> 0"]),
        ({"flags": [[1]]}, {"flags": [[True]]}, ["flags[0][0] = 1 -> true"]),
        ({"a": [1]}, {"a": {"b": [True]}}, ['a = [1] -> {"b": [true]}']),
        ({"tags": ["x"]}, {"tags": ["x", "y"]}, ['+ tags[1] = "y"']),
        ([{"colour": "red"}, {"colour": "blue"}], [{"colour": "red"}, {"colour": "green"}],
         ['[1].colour = "blue" -> "green"']),
        (["a", "b"], ["b", "a"], ['[0] = "a" -> "b"', '[1] = "b" -> "a"']),
        ({"one two": 1, "x": 1}, {"one two": 2, "x": 2}, ['"one two" = 1 -> 2', "x = 1 -> 2"]),
        ({"tags": [f"t{n}" for n in range(12)]}, {"tags": [f"t{n}" for n in range(10)]},
         ['- tags[10] = "t10"', '- tags[11] = "t11"']),
        ({"a": [1]}, {"a": {"b": 1}}, ['a = [1] -> {"b": 1}']),
        ("red", "blue", []),
        ({"a": 1}, [1], []),
        (None, {"a": 1}, []),
    ],
)  # fmt: skip
def test_members_that_differ(before: Any, after: Any, members: list[str]) -> None:
    assert differing_members(before, after) == members


def test_names_and_values_are_neutral_and_short() -> None:
    (text,) = differing_members({"a\x1b[31m": "x\u202ey"}, {"a\x1b[31m": "z" * 500})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 200


JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.5, "1", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_values_that_differ_have_members_that_do(before: Any, after: Any) -> None:
    before, after = canonical_json(before), canonical_json(after)
    assert bool(differing_members(before, after)) is not same_value(before, after)


BADGE = "urn:acme:params:scim:schemas:extension:badge:1.0:User:badge"


def change(before: Any, after: Any) -> Change:
    op = PatchOp.ADD if before is None else PatchOp.REPLACE
    one = AttributeChange(path=BADGE, op=op, cause=Cause.DECLARED, before=before, after=after)
    address = Address(ResourceType.USER, "ann")
    return Change(
        address=address, actions=(Action.UPDATE,), cause=Cause.DECLARED, label="Ann", attribute_changes=(one,)
    )


def test_a_line_of_a_plan_names_the_members() -> None:
    (line,) = change_lines(
        change({"colour": "red", "size": 1}, {"colour": "blue"}), {}, kept=True, cause=True, verbose=False
    )
    assert line.aside == 'in it colour = "red" -> "blue", - size = 1'
    assert (line.before, line.after) == ('{"colour": "red", "size": 1}', '{"colour": "blue"}')
    (drift,) = drift_lines(change({"colour": "red"}, {"colour": "blue"}), {})
    assert drift.aside == 'on the server; in it colour = "blue" -> "red"'
    (new,) = change_lines(change(None, {"colour": "blue"}), {}, kept=True, cause=True, verbose=False)
    assert new.aside == ""
    many = change({f"m{n}": 1 for n in range(8)}, {f"m{n}": 2 for n in range(8)})
    (line,) = change_lines(many, {}, kept=True, cause=True, verbose=False)
    assert line.aside.startswith("in it m0 = 1 -> 2, ")
    assert line.aside.endswith(", 3 more")


def test_deepdiff_is_imported_only_where_it_explains() -> None:
    script = (
        "import sys; from reconciler.rendering import text, complexes; "
        "complexes.differing_members('a', 'b'); print('deepdiff' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
