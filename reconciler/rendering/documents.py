"""What commands print as JSON besides plans: how declarations were judged, and how applies ended.

Members are described by schemas/output.schema.json. Canonical and harmless in a log, like plan files.
"""

from collections.abc import Sequence
from typing import Final

from reconciler.model import Diagnostic, Failed, Json, NotTried, Plan, Result, Severity, Skipped, Succeeded
from reconciler.planfile import diagnostic_document

FORMAT_VERSION: Final = 1


def validation_document(
    problems: Sequence[Diagnostic],
    *,
    targets: Sequence[str],
    users: int,
    groups: int,
    files: int,
    notes: Sequence[str] = (),
) -> dict[str, Json]:
    """What `validate` found. `valid`: no error among the problems. `notes`: what only a plan can tell."""
    return {
        "format_version": FORMAT_VERSION,
        "valid": not any(each.severity is Severity.ERROR for each in problems),
        "targets": list(targets),
        "users": users,
        "groups": groups,
        "files": files,
        "diagnostics": [diagnostic_document(each) for each in problems],
        "notes": list(notes),
    }


def apply_document(targets: Sequence[Json]) -> dict[str, Json]:
    """How an apply ended, with an entry for each target."""
    return {"format_version": FORMAT_VERSION, "targets": list(targets)}


def applied_document(
    plan: Plan,
    document: Json,
    results: Sequence[Result],
    unverified: Sequence[Diagnostic],
    troubles: Sequence[tuple[str, str]],
    exit: int,
) -> Json:
    """One target: its plan as a `document`, what became of each operation, what went wrong besides (summary, mend)."""
    return {
        "target": plan.target,
        "exit": exit,
        "plan": document,
        "results": _results(plan, results),
        "unverified": [diagnostic_document(each) for each in unverified],
        "troubles": [{"summary": summary, "mend": mend} for summary, mend in troubles],
    }


def failed_document(target: str, summary: str, mend: str, exit: int) -> Json:
    """One target of which no plan could be made."""
    return {"target": target, "exit": exit, "error": {"summary": summary, "mend": mend}}


def checkup_document(targets: Sequence[tuple[str, Sequence[tuple[str, str, str, str]]]]) -> dict[str, Json]:
    """What `doctor` found: by target, each check with its name, verdict, what is said and the mend."""
    members = ("check", "verdict", "summary", "mend")
    found: list[Json] = [
        {"target": target, "checks": [dict(zip(members, each, strict=True)) for each in checks]}
        for target, checks in targets
    ]
    return {"format_version": FORMAT_VERSION, "targets": found}


def _results(plan: Plan, results: Sequence[Result]) -> list[Json]:
    by_number = {each.number: each for each in results}
    found = ((each, by_number.get(each.number)) for each in plan.operations)
    return [
        {"number": operation.number, "address": str(operation.address), **_outcome(result)}
        for operation, result in found
    ]


def _outcome(result: Result | None) -> dict[str, Json]:
    match result:
        case Succeeded(note=note):
            return {"outcome": "done", "message": note}
        case Failed(message=message, status=status, unknown=unknown):
            return {"outcome": "failed", "message": message, "status": status, "unknown": unknown}
        case Skipped(message=message, because=because):
            return {"outcome": "skipped", "message": message, "because": because}
        case NotTried(message=message):
            return {"outcome": "not tried", "message": message}
    return {"outcome": "not tried", "message": ""}
