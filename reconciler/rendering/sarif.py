"""Problems as SARIF 2.1.0, the form in which code hosts show them beside the lines of a pull request.

Every result has a place, as code hosts refuse results without one: what concerns no line stands on the first line of
the settings.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.model import Diagnostic, Json, Plan, Severity, SourceLocation, Violation
from reconciler.planfile import written
from reconciler.rendering.neutral import NAME_LIMIT, neutral

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_HELP: Final = "Every code with an example and the mend: docs/diagnostics.md of reconciler."


def render_sarif(problems: Sequence[Diagnostic], *, version: str, prefix: str, settings: str) -> str:
    """One run with a result for each problem.

    `prefix`: from the root of the repository to the folder that places are relative to, empty or ending in ``/``.
    `settings`: the file that stands in for a place where a problem has none.
    """
    mends = {each.code: each.mend for each in reversed(problems)}
    codes = sorted(mends)
    driver: dict[str, Json] = {
        "name": "reconciler",
        "version": version,
        "rules": [{"id": code, "help": {"text": _help(mends[code])}} for code in codes],
    }
    results: list[Json] = [_result(each, codes.index(each.code), prefix, settings) for each in problems]
    run: dict[str, Json] = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return written({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}).decode()


def problems_of(plan: Plan) -> list[Diagnostic]:
    """What stands in the way of a plan, or should be known of it: broken rules first, then refused identities."""
    places = {str(each.address): each.source for each in plan.changes}
    return [*(_broken(each, places.values()) for each in plan.violations), *plan.refused, *plan.notices]


def _help(mend: str) -> str:
    return f"{neutral(mend)}. {_HELP}" if mend else _HELP


def _broken(violation: Violation, places: Iterable[SourceLocation | None]) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=violation.rule,
        summary=violation.summary,
        mend=violation.mend,
        source=next((each for each in places if each is not None), None),
    )


def _result(problem: Diagnostic, index: int, prefix: str, settings: str) -> dict[str, Json]:
    source = problem.source or SourceLocation(settings, 1)
    about = f"{problem.address}: " if problem.address is not None and problem.source is None else ""
    said = (f"{about}{problem.summary}.", problem.detail, f"Mend: {problem.mend}." if problem.mend else "")
    location: Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(prefix + neutral(source.path, NAME_LIMIT))},
            "region": {"startLine": source.line, "startColumn": source.column},
        }
    }
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": _LEVELS[problem.severity],
        "message": {"text": neutral(" ".join(filter(None, said)))},
        "locations": [location],
    }
