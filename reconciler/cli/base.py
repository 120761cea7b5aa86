"""The plan of a checkout, divided by what the declarations of another commit would do: for `plan --base`."""

from dataclasses import replace

from reconciler.committed import files_below
from reconciler.errors import UsageError
from reconciler.model import Diagnostic, Severity, Split
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.running import Options, plan_against
from reconciler.saved.splitting import split


def planned_against(project: Project, options: Options, ref: str) -> tuple[Reconciliation, Split | None]:
    """The plan, and its changes divided by those that the declarations of a commit would bring about as well.

    No division, and a note, where those declarations cannot be used. UsageError where there is no such commit.
    """
    repository = project.repository
    if repository is None:
        raise UsageError("--base needs git, and this is no repository", "leave it out")
    commit = repository.commit_id(ref)
    if commit is None:
        raise UsageError(
            f"--base {ref} is no commit that this clone has", "fetch it first, as in git fetch origin main"
        )
    top, base = repository.top.resolve(), project.base.resolve()
    if not base.is_relative_to(top):
        raise UsageError("--base compares declarations of this repository, and these are elsewhere", "leave it out")
    folders = project.target(options.target).identities
    files = files_below(repository, commit, base.relative_to(top).as_posix(), folders)
    planned, other = plan_against(project, options, files)
    if isinstance(other, Reconciliation):
        return planned, split(planned, other.plan, ref, commit)
    notices = (*planned.plan.notices, _not_divided(ref, other))
    return replace(planned, plan=replace(planned.plan, notices=notices)), None


def _not_divided(ref: str, why: Diagnostic) -> Diagnostic:
    place = f"{why.source}: " if why.source is not None else ""
    summary = f"the declarations of {ref} cannot be used, so what comes with this checkout is not told apart"
    return Diagnostic(severity=Severity.NOTICE, code="base-unusable", summary=summary, detail=f"{place}{why.summary}")
