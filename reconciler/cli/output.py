"""Plans and what became of them, on standard output.

What writes a page, a comment or SARIF is imported by the runs that print one, and not waited for by all others.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from reconciler.cli import masking
from reconciler.cli.github import SUMMARY, add_to_summary, annotate, annotates
from reconciler.cli.printing import sarif
from reconciler.memory import no_collection
from reconciler.model import Diagnostic, Json, Plan, Result, Split
from reconciler.planfile import digest, written
from reconciler.rendering.paper import paper_for, write_text
from reconciler.rendering.text import render_text
from reconciler.rendering.view import stamp, view

FORMATS: Final = ("text", "json", "markdown", "html")
PLAN_FORMATS: Final = (*FORMATS, "sarif")


@no_collection()
def show_plan(plan: Plan, form: str, *, verbose: bool = False, split: Split | None = None) -> None:
    """Print a plan in one of `PLAN_FORMATS`, divided if there is a `split`."""
    if form == "json":
        write_text(sys.stdout, written(plan_document(plan, split)).decode())
    elif form in ("text", "sarif"):
        write_text(sys.stdout, _short(masking.plan(plan), form, verbose, masking.split(split)))
    else:
        write_text(sys.stdout, _kept(plan, form, verbose, split))
    sys.stdout.flush()
    if annotates():
        from reconciler.rendering.sarif import problems_of

        annotate(problems_of(masking.plan(plan)))
    if os.environ.get(SUMMARY):
        add_to_summary(_kept(plan, "markdown", False, split))


def plan_document(plan: Plan, split: Split | None = None) -> dict[str, Json]:
    """A plan as it is printed in JSON, masked where that is wanted: then `masked` says so, and nobody can apply it."""
    from reconciler.saved.file import shown_document

    document = shown_document(masking.plan(plan), masking.split(split))
    return {**document, "digest": digest(plan), "masked": "personal"} if masking.is_masked() else document


def _short(plan: Plan, form: str, verbose: bool, split: Split | None) -> str:
    if form == "sarif":
        from reconciler.rendering.sarif import problems_of

        return sarif(problems_of(plan))
    paper = paper_for(sys.stdout, os.environ)
    return render_text(view(plan, verbose=verbose, split=split), width=paper.width, colour=bool(paper.styles))


def _kept(plan: Plan, form: str, verbose: bool, split: Split | None) -> str:
    """What is kept says which plan it is."""
    mark = stamp(plan)
    plan, split = masking.plan(plan), masking.split(split)
    if form == "markdown":
        from reconciler.rendering.markdown import render_markdown

        return render_markdown(view(plan, verbose=verbose, split=split), mark)
    from reconciler.rendering.html import render_html

    # whoever opens the page folds and searches there, so everybody is in it
    return render_html(view(plan, verbose=True, split=split), mark)


def show_report(plan: Plan, results: Sequence[Result], unverified: Sequence[Diagnostic], *, verbose: bool) -> None:
    """Print what an apply did."""
    from reconciler.rendering.report import render_report

    paper = paper_for(sys.stdout, os.environ)
    plan, results, unverified = masking.plan(plan), masking.results(results), masking.diagnostics(unverified)
    text = render_report(plan, results, unverified, width=paper.width, colour=bool(paper.styles), verbose=verbose)
    write_text(sys.stdout, "\n" + text)
