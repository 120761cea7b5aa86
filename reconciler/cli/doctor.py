"""`reconciler doctor`: whether everything is there that a run needs, with the mend for what is not."""

import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from reconciler.checkup import Check, Verdict, examine
from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, target_options
from reconciler.cli.printing import error_line, show_text
from reconciler.planfile import written
from reconciler.rendering.documents import checkup_document
from reconciler.rendering.neutral import neutral
from reconciler.rendering.paper import paper_for

_STYLES: Final = {Verdict.PASSED: "add", Verdict.WARN: "alarm", Verdict.FAIL: "error"}


@click.command("doctor")
@target_options
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="How to print it."
)
def command(chosen: Chosen, form: str) -> Exit:
    """Check settings, declarations, credential, connection, record, checkout.

    Writes nothing, goes on after whatever fails, and ends with 1 if anything did. No secret is printed.
    """
    project = chosen.project()
    found = [(name, list(examine(project, project.target(name)))) for name in chosen.names(project)]
    if form == "json":
        entries = [(name, [(each.name, each.verdict, *_words(each)) for each in checks]) for name, checks in found]
        show_text(written(checkup_document(entries)).decode())
    else:
        for name, checks in found:
            _show(name, checks, chosen.several)
    failed = sum(each.verdict is Verdict.FAIL for _, checks in found for each in checks)
    if failed:
        error_line(f"{failed} check{'' if failed == 1 else 's'} failed", "")
    return Exit.FAILED if failed else Exit.DONE


def _show(name: str, checks: Sequence[Check], several: bool) -> None:
    on = paper_for(sys.stdout, os.environ)
    if several:
        show_text(f"{neutral(name)}:")
    width = max(len(each.name) for each in checks)
    for each in checks:
        said, mend = _words(each)
        first = f"{on.styled(each.verdict, _STYLES[each.verdict])}  {each.name:{width}}  "
        rows = on.paragraph(neutral(said), width + 8, first=first)
        for line in mend.splitlines():
            rows += on.paragraph(neutral(line), width + 8, "dim")
        show_text("\n".join(rows))


def _words(check: Check) -> tuple[str, str]:
    return masking.text(check.said), masking.text(check.mend)
