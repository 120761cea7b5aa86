"""The plan of a checkout, divided by what the declarations of another commit would do: for `plan --base`."""

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.committed import files_below
from reconciler.errors import UsageError
from reconciler.model import Diagnostic, Severity, Split
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.record.repository import GitRepository
from reconciler.running.plans import plan_against
from reconciler.running.run import Options
from reconciler.saved.splitting import split
from reconciler.settings.changes import since


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
    files = _declared_then(project, options, repository, commit)
    planned, other = plan_against(project, options, files)
    planned = _with_notices(planned, *_settings_since(project, repository, commit, ref))
    if isinstance(other, Reconciliation):
        return planned, split(planned, other.plan, ref, commit)
    return _with_notices(planned, _not_divided(ref, other)), None


def _declared_then(project: Project, options: Options, repository: GitRepository, commit: str) -> dict[str, bytes]:
    """The declaration files of a commit; those beside the settings where this run reads another checkout's."""
    top, base = repository.top.resolve(), project.base.resolve()
    target = project.target(options.target)
    if not base.is_relative_to(top):
        base, target = project.settings.folder.resolve(), project.settings.targets[target.name]
    return files_below(repository, commit, base.relative_to(top).as_posix(), target.identities)


def _with_notices(planned: Reconciliation, *notices: Diagnostic | None) -> Reconciliation:
    added = [each for each in notices if each is not None]
    return replace(planned, plan=replace(planned.plan, notices=(*planned.plan.notices, *added)))


def _settings_since(project: Project, repository: GitRepository, commit: str, ref: str) -> Iterator[Diagnostic | None]:
    """Whoever reviews what people get should see that the rules for it come along."""
    settings, top = project.settings, repository.top.resolve()
    files = {"": settings.path, **{each: settings.folder / each for each in settings.profiles}}
    for profile, file in files.items():
        path = file.resolve()
        if path.is_relative_to(top):
            before = repository.show(commit, path.relative_to(top).as_posix())
            yield since(before, path.read_bytes(), ref, profile)


def _not_divided(ref: str, why: Diagnostic) -> Diagnostic:
    place = f"{why.source}: " if why.source is not None else ""
    summary = f"the declarations of {ref} cannot be used, so what comes with this checkout is not told apart"
    return Diagnostic(severity=Severity.NOTICE, code="base-unusable", summary=summary, detail=f"{place}{why.summary}")
