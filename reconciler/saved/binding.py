"""What a saved plan is bound to: its target, and the content of all files that decided it. Reads files, no network.

Content, not commits: the same lines in another commit, squashed, rebased or merged, give the same plan. What nobody has
committed counts as it stands; that it may not be applied is the rule `dirty`.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from reconciler.errors import InputError, StalePlan, UsageError
from reconciler.model import Diagnostic, Severity, Split
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.record.header import url_fingerprint
from reconciler.saved.file import Binding, SavedPlan
from reconciler.settings import Target

_SUFFIXES = (".yaml", ".yml")
_PLAN_AGAIN = "make the plan again here: reconciler plan --out FILE"


def bound(project: Project, target: Target, planned: Reconciliation, split: Split | None = None) -> SavedPlan:
    """A plan that was made just now, with what it belongs to."""
    standing = {(each.rule, each.digest) for each in planned.plan.violations}
    binding = Binding(
        url=url_fingerprint(target.url),
        day=planned.situation.desired.today.isoformat(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        files=content_of(project, target),
        accepted=tuple(each for each in planned.broken if (each.rule, each.digest) not in standing),
    )
    return SavedPlan(plan=planned.plan, binding=binding, split=split)


def content_of(project: Project, target: Target) -> dict[str, str]:
    """Path from the folder of the settings -> SHA-256 of every file that decides what is planned for a target."""
    found: dict[str, str] = {}
    for path in project.declared_paths(target):
        for file in _files(path):
            name = os.path.relpath(file.absolute(), project.settings.folder.absolute()).replace(os.sep, "/")
            found[name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")] = _content(file)
    return found


def check_target(saved: SavedPlan, project: Project, name: str) -> Target:
    """The target that a plan was made for, as the settings name it now. UsageError, InputError: it is not that one."""
    planned = saved.plan.target
    if planned not in project.settings.targets:
        summary = f'{name} is a plan for target "{planned}", which {project.settings.path.name} does not have'
        raise UsageError(summary, f"it has {', '.join(project.settings.targets)}")
    target = project.target(planned)
    if url_fingerprint(target.url) != saved.binding.url:
        raise InputError(
            f'{name} was made for another address than the one that "{planned}" has now; nothing was written',
            mend=_PLAN_AGAIN,
        )
    return target


def check_content(saved: SavedPlan, project: Project, target: Target, name: str) -> None:
    """StalePlan, with every file that differs, where the files here are not those that a plan was made from."""
    then, now = saved.binding.files, content_of(project, target)
    found = [_differing(each, then, now) for each in sorted({*then, *now}) if then.get(each) != now.get(each)]
    if found:
        raise StalePlan(f"{name} was made from other files than those here; nothing was written", _PLAN_AGAIN, found)


def day_differs(saved: SavedPlan, today: date) -> str:
    """A clause about the day of a plan that is another one today; empty if it is the same."""
    day = saved.binding.day
    return f"; it was made for {day}, and today is {today.isoformat()}" if day != today.isoformat() else ""


def _differing(path: str, then: Mapping[str, str], now: Mapping[str, str]) -> Diagnostic:
    what = "has changed" if path in then else "is new"
    what = what if path in now else "is gone"
    summary = f"{path} {what} since the plan was made"
    return Diagnostic(severity=Severity.ERROR, code="plan-of-other-files", summary=summary)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for place, below, names in os.walk(path):
            below[:] = [each for each in below if not each.startswith(".")]
            yield from (Path(place, each) for each in names if _counts(each))


def _counts(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(_SUFFIXES)


def _content(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        # a link that leads nowhere decides nothing; what cannot be read stops a plan by itself
        return ""
