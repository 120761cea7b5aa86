"""What every format shows: golden files of thirteen plans, and that no change is lost or out of order in any of them.

BLESS=1 rewrites the golden files.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.model import Action, Cause, Plan, ResourceType, Severity
from reconciler.planfile import dump
from reconciler.rendering.folding import Risk
from reconciler.rendering.html import render_html
from reconciler.rendering.markdown import render_markdown
from reconciler.rendering.masking import Mask
from reconciler.rendering.sarif import problems_of, render_sarif
from reconciler.rendering.text import render_text
from reconciler.rendering.view import stamp, view
from tests.rendering import rendered_plans as plans
from tests.rendering.twelve_plans import PLANS, big

GOLDEN = Path(__file__).parent / "golden"
INLINE = re.compile(r"(<(style|script)[^>]*>).*?(</\2>)", re.DOTALL)
FINGERPRINT = re.compile(r"sha256-[\w+/=]+")


def text_of(plan: Plan, *, verbose: bool = False) -> str:
    return render_text(view(plan, verbose=verbose), width=100, colour=False)


def markdown_of(plan: Plan, *, verbose: bool = False) -> str:
    return render_markdown(view(plan, verbose=verbose), stamp(plan))


def html_of(plan: Plan) -> str:
    return render_html(view(plan, verbose=True), stamp(plan))


def html_to_read(plan: Plan) -> str:
    """An element a row, without style and script: they have tests of their own."""
    page = FINGERPRINT.sub("sha256-…", INLINE.sub(r"\1…\3", html_of(plan)))
    return page.replace("><", ">\n<")


def json_to_read(plan: Plan) -> str:
    return json.dumps(json.loads(dump(plan)), indent=1, sort_keys=True)


def sarif_to_read(plan: Plan) -> str:
    found = render_sarif(problems_of(plan), version="0", prefix="", settings="reconciler.yaml")
    return json.dumps(json.loads(found), indent=1, sort_keys=True)


def masked_of(plan: Plan) -> str:
    return text_of(Mask().plan(plan))


FORMATS: dict[str, Callable[[Plan], str]] = {
    "txt": text_of,
    "md": markdown_of,
    "html": html_to_read,
    "json": json_to_read,
    "sarif": sarif_to_read,
    "masked.txt": masked_of,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", PLANS)
def test_golden(name: str, form: str) -> None:
    found = FORMATS[form](PLANS[name]) + "\n"
    path = GOLDEN / "formats" / f"{name}.{form}"
    if os.environ.get("BLESS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


# --- nothing lost, nothing out of order

SHAPES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"actions": (Action.DELETE,)},
        {"actions": (Action.DEACTIVATE,), "difference": plans.changed("active", True, False)},
        {"actions": (Action.REACTIVATE,), "difference": plans.changed("active", False, True)},
        {"difference": plans.gone("roles", None, "Agent")},
        {"difference": plans.added("roles", None, "Master Admin"), "warnings": ("gets a privileged role",)},
        {"difference": plans.changed("title", "Agent", "Lead")},
        {"difference": plans.changed("title", "Agent", "Lead"), "cause": Cause.LEFTOVER},
        {"difference": plans.added("userName", "x@example.com"), "actions": (Action.CREATE,)},
        {"difference": plans.changed("userName", "x@example.com", "y@example.com"), "actions": (Action.RENAME,)},
        {"difference": plans.added("members", None, "b0b"), "address": plans.group},
        {"difference": plans.gone("members", None, "b0b"), "address": plans.group},
    ]
)
KEY = re.compile(r"k\d{4}x")


def planned(shapes: list[dict[str, Any]]) -> Plan:
    changes = []
    for number, shape in enumerate(shapes):
        more = dict(shape)
        address, difference = more.pop("address", plans.user), more.pop("difference", None)
        changes.append(plans.change(address(f"k{number:04}x"), *([difference] if difference else []), **more))
    return replace(plans.QUIET, changes=tuple(changes), names=plans.SAMPLE.names)


def keys_in(text: str) -> list[str]:
    return list(dict.fromkeys(KEY.findall(text)))


@given(st.lists(SHAPES, min_size=1, max_size=40).map(planned))
@settings(max_examples=60, deadline=None)
def test_every_change_is_in_every_format_in_the_same_order(plan: Plan) -> None:
    every = sorted(each.address.key for each in plan.changes)
    text = text_of(plan, verbose=True)
    # warnings stand before the changes that they belong to
    in_text = keys_in(text[text.index("  # ") :])
    markdown = markdown_of(plan, verbose=True)
    in_markdown = keys_in(markdown[markdown.index("```diff") :])
    page = html_of(plan)
    in_html = keys_in(page[page.index('id="changes"') :])
    assert sorted(in_text) == every
    assert in_markdown == in_text
    assert in_html == in_text
    assert sorted(keys_in(dump(plan).decode())) == every
    assert sorted(keys_in(markdown[: markdown.index("Every difference")])) == every


@given(st.lists(SHAPES, min_size=1, max_size=40).map(planned))
@settings(max_examples=40, deadline=None)
def test_a_masked_plan_has_every_change_in_the_same_order_of_risk(plan: Plan) -> None:
    masked = Mask().plan(plan)
    groups = [each.address.key for each in plan.changes if each.address.resource_type is ResourceType.GROUP]
    people = len(plan.changes) - len(groups)
    for text in (
        text_of(masked, verbose=True),
        markdown_of(masked, verbose=True),
        html_of(masked),
        dump(masked).decode(),
    ):
        assert sorted(keys_in(text)) == sorted(groups)
        assert len(set(re.findall(r"person-\d+", text)) - {"person-000"}) >= people
        assert "@example.com" not in text
    assert risks(masked) == risks(plan)


def risks(plan: Plan) -> list[Risk]:
    return [block.risk for block in view(plan).blocks for _ in block.identities]


@pytest.mark.parametrize("name", PLANS)
def test_every_problem_of_a_plan_is_a_result(name: str) -> None:
    plan = PLANS[name]
    (run,) = json.loads(sarif_to_read(plan))["runs"]
    found = [(each["ruleId"], each["level"]) for each in run["results"]]
    levels = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
    diagnostics = [(each.code, levels[each.severity]) for each in (*plan.refused, *plan.notices)]
    assert found == [*((each.rule, "error") for each in plan.violations), *diagnostics]


def unlike(plan: Plan) -> Plan:
    """The same, but that no change is like another and every one stands alone."""
    return replace(plan, changes=tuple(replace(each, reason=f"no. {n}") for n, each in enumerate(plan.changes)))


@given(st.lists(SHAPES, min_size=20, max_size=150).map(planned).map(unlike), st.integers(2_500, 12_000))
@settings(max_examples=60, deadline=None)
def test_what_a_comment_has_no_room_for_is_the_least_risky_and_counted(plan: Plan, limit: int) -> None:
    found = view(plan)
    text = render_markdown(found, stamp(plan), limit=limit)
    assert len(text) < limit
    risks = {each.identities[0].address.partition(".")[2]: each.risk for each in found.blocks}
    missing = [key for key in risks if key not in text]
    said = re.search(r"([\d,]+) of ([\d,]+) changes(, the least risky ones)?", text)
    assert (int(said[1]), int(said[2])) == (len(missing), len(risks)) if said else missing == []
    if missing:
        shown = [risk for key, risk in risks.items() if key not in missing]
        assert max(shown, default=0) <= min(risks[key] for key in missing)
    unnamed = sum(risks[key] is not Risk.REST for key in missing)
    assert (f"**{unnamed:,} of those take access away or give it back" in text) is (unnamed > 0)
    assert not said or (said[3] is None) is (unnamed > 0)


def test_three_thousand_changes_make_a_useful_comment() -> None:
    plan = big(3_000)
    text = markdown_of(plan)
    assert 50_000 < len(text) < 65_536
    leavers = [each.address.key for each in plan.changes if Action.DEACTIVATE in each.actions]
    assert len(leavers) == 300
    assert all(key in text for key in leavers)
    assert re.search(r"[\d,]+ of 3,000 changes, the least risky ones", text)


def test_three_thousand_who_leave_are_all_named() -> None:
    changes = tuple(
        plans.change(
            plans.user(f"agent.{number:04}"),
            plans.changed("active", True, False),
            actions=(Action.DEACTIVATE,),
            reason=f"removed from identities/site-{number}.yaml",
        )
        for number in range(3_000)
    )
    text = markdown_of(replace(plans.QUIET, changes=changes))
    assert len(text) < 65_536
    assert all(f"user.{each.address.key}" in text for each in changes)
    assert "of 3,000 changes" not in text
