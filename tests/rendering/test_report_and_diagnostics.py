"""How an apply ended, and what is wrong with declarations: golden texts and the counts."""

import pytest
from msgspec.structs import replace

from reconciler.model import (
    Address,
    Diagnostic,
    Failed,
    NotTried,
    Operation,
    PatchResource,
    Result,
    Severity,
    Skipped,
    Succeeded,
)
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.report import render_report
from tests.rendering import rendered_plans as plans
from tests.rendering.test_rendered_text import check


def request(number: int, address: Address) -> Operation:
    return PatchResource(number=number, address=address, live_id=str(number), operations=())


CHANGES = plans.SAMPLE.changes
PLAN = replace(
    plans.SAMPLE,
    operations=(
        *(request(number, each.address) for number, each in enumerate(CHANGES, 1)),
        request(900, plans.group("support-emea")),
    ),
)
FINE: dict[int, Result] = {each.number: Succeeded(number=each.number, live_id="1") for each in PLAN.operations}
MIXED: dict[int, Result] = FINE | {
    5: Failed(number=5, message="userName is taken\nby another", status=409),
    6: Failed(number=6, message="no answer within 30 seconds", unknown=True),
    8: Succeeded(number=8, live_id="1", note="restored: brought back a title that nobody declared"),
    **{number: NotTried(number=number, message="the run was stopped") for number in range(20, 60)},
    900: Skipped(number=900, message="", because=5),
}
KEPT = Diagnostic(
    severity=Severity.WARNING,
    code="kept",
    summary='title: sent "Lead", server kept "Agent"',
    mend="add notStored: [title] to the target",
    address=plans.user("amy.b"),
)


def report(results: dict[int, Result], width: int = 100, unverified=(), **more) -> str:
    return render_report(PLAN, list(results.values()), unverified, width=width, colour=False, **more)


def test_when_all_went_well_one_line_says_so() -> None:
    assert report(FINE) == "Apply complete: 1 added, 288 changed, 0 destroyed; 1 deactivated."


@pytest.mark.parametrize("width", [60, 100])
def test_golden_report(width: int) -> None:
    check(f"report-{width}", report(MIXED, width, [KEPT]))


def test_every_request_is_accounted_for() -> None:
    """Whoever failed or was skipped is named, and the counts add up to the changes of the plan."""
    text = report(MIXED, verbose=True)
    assert all(str(each.address) in text for each in CHANGES)
    assert text.endswith(
        "245 changed, 0 destroyed; 1 deactivated; 2 failed, 1 skipped, 40 not\ntried. A new plan shows what is left."
    )
    assert len(CHANGES) == 1 + 245 + 1 + 2 + 1 + 40


@pytest.mark.parametrize(
    ("results", "last"),
    [
        ({}, "Apply incomplete: 0 added, 0 changed, 0 destroyed; 290 not tried. A new plan shows what is left."),
        (
            FINE | {900: NotTried(number=900, message="")},
            "1 added, 287 changed, 0 destroyed; 1 deactivated; 1 not tried.",
        ),
    ],
)
def test_what_has_no_result_was_not_tried(results: dict[int, Result], last: str) -> None:
    assert last in report(results, 200)


def test_done_but_kept_otherwise() -> None:
    text = report(FINE, unverified=[KEPT])
    assert "! user.amy.b: title: sent" in text
    assert text.endswith(
        "Apply complete, but not all is as it was sent: 1 added, 288 changed, 0 destroyed; 1 deactivated."
    )


def problem(severity: Severity, code: str, summary: str, **more) -> Diagnostic:
    return Diagnostic(severity=severity, code=code, summary=summary, **more)


PROBLEMS = [
    problem(
        Severity.ERROR,
        "unknown-member",
        'no user or group has the key "carl"',
        detail="Members are keys or userNames of this repository; somebody who is not declared is written {live: …}.",
        mend='write "carl.m"',
        source=plans.at(14),
    ),
    problem(Severity.ERROR, "tab", "a tab in the indentation", source=plans.at(3)),
    problem(Severity.WARNING, "glued", "the # begins a comment", source=plans.at(9, "identities/a.yaml")),
    problem(Severity.ERROR, "ambiguous", "2 live users match", address=plans.user("x.y")),
    problem(Severity.NOTICE, "quiet", "nothing to see"),
]


@pytest.mark.parametrize("width", [60, 100])
def test_golden_diagnostics(width: int) -> None:
    check(f"diagnostics-{width}", render_diagnostics(PROBLEMS, width=width, colour=False))


def test_diagnostics_are_sorted_and_counted() -> None:
    text = render_diagnostics(PROBLEMS, width=80, colour=False)
    assert render_diagnostics(PROBLEMS[::-1], width=80, colour=False) == text
    assert text.endswith("\n3 errors, 1 warning, 1 notice in 2 files")
    assert "\nidentities/emea/support.yaml:14:3: error[unknown-member]: no user" in text
    assert text.index(":9:3:") < text.index(":3:3:") < text.index(":14:3:")


@pytest.mark.parametrize(
    ("some", "last"),
    [(PROBLEMS[:1], "1 error in 1 file"), (PROBLEMS[3:4], "1 error"), (PROBLEMS[1:2] * 2, "2 errors in 1 file")],
)
def test_the_last_line_counts_problems_and_files(some: list[Diagnostic], last: str) -> None:
    assert render_diagnostics(some, width=80, colour=False).split("\n")[-1] == last


def test_no_problem_is_no_text() -> None:
    assert render_diagnostics([], width=80, colour=True) == ""


def test_colours_change_no_letter() -> None:
    coloured = render_diagnostics(PROBLEMS, width=80, colour=True)
    assert "\x1b[1;31merror\x1b[0m[tab]" in coloured
    assert coloured.replace("\x1b[1;31m", "").replace("\x1b[1;33m", "").replace("\x1b[1m", "").replace(
        "\x1b[0m", ""
    ) == render_diagnostics(PROBLEMS, width=80, colour=False)
