"""Problems in declarations, settings or a run, for editors and people: first a line, then why and how to mend it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from reconciler.model import Diagnostic, Severity
from reconciler.rendering.neutral import NAME_LIMIT, neutral
from reconciler.rendering.paper import Paper, paper

_STYLES: Final = {Severity.ERROR: "error", Severity.WARNING: "alarm", Severity.NOTICE: "bold"}


def render_diagnostics(diagnostics: Iterable[Diagnostic], *, colour: bool, width: int) -> str:
    """All problems by place, and how many there are; empty if there are none.

    The first line of each is never wrapped: ``path:line:column: error[code]: summary`` is what editors look for. What
    concerns no file comes first.
    """
    found = sorted(diagnostics, key=_order)
    if not found:
        return ""
    on = paper(width, colour)
    rows = [row for each in found for row in _diagnostic(each, on)]
    return "\n".join([*rows, "", _count(found)])


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    source = diagnostic.source
    where = (source.path, source.line, source.column) if source else ("", 0, 0)
    return *where, diagnostic.code, diagnostic.summary


def _diagnostic(diagnostic: Diagnostic, on: Paper) -> list[str]:
    severity = on.styled(diagnostic.severity, _STYLES[diagnostic.severity])
    about = f"{diagnostic.address}: " if diagnostic.address and not diagnostic.source else ""
    code = neutral(diagnostic.code, NAME_LIMIT)
    rows = [f"{_place(diagnostic)}{severity}[{code}]: {neutral(about + diagnostic.summary)}"]
    if diagnostic.detail:
        rows += on.paragraph(neutral(diagnostic.detail), 2)
    if diagnostic.mend:
        rows += on.paragraph(f"mend: {neutral(diagnostic.mend)}", 2)
    return rows


def _place(diagnostic: Diagnostic) -> str:
    source = diagnostic.source
    return neutral(f"{neutral(source.path, NAME_LIMIT)}:{source.line}:{source.column}: ") if source else ""


def _count(found: list[Diagnostic]) -> str:
    by_severity = Counter(each.severity for each in found)
    counts = ", ".join(
        f"{count:,} {severity}{'' if count == 1 else 's'}" for severity in Severity if (count := by_severity[severity])
    )
    files = len({each.source.path for each in found if each.source})
    return f"{counts} in {files:,} file{'' if files == 1 else 's'}" if files else counts
