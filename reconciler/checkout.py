"""The checkout that a run works on, as the record sees it: old, on another history, or not committed.

An apply runs on committed declarations, and never on older ones than before; a plan goes on and says so. Only reads.
"""

from typing import Final

from msgspec import Struct

from reconciler.accepting import violation
from reconciler.errors import RecordTrouble
from reconciler.model import Diagnostic, Severity, Violation
from reconciler.project import Project
from reconciler.record.history import Relation, default_branch_without, relation
from reconciler.record.repository import GitRepository
from reconciler.settings import Target

_OLD: Final = {
    Relation.BEHIND: "this checkout ({head}) is older than what was applied last ({recorded})",
    Relation.DIVERGED: "the applied commit {recorded} is not in the history of this checkout ({head})",
}
_OLD_MEND: Final = {
    Relation.BEHIND: "run from the tip of the main branch",
    Relation.DIVERGED: "main was rewritten, or somebody applied from a branch: run from the branch that is applied",
}
_TOO_SHORT: Final = (
    "the history of this checkout is too short to tell whether it contains the applied commit {recorded}"
)
_FETCH_HISTORY: Final = "fetch the history: `fetch-depth: 0` with `filter: blob:none`, or `git fetch --unshallow`"
_NOT_ON_MAIN: Final = (
    "merge it first and apply from {main}; a squash or a rebase makes another commit, and the next apply from {main} "
    "then stops as diverged"
)
_SHOWN: Final = 3
"""So many uncommitted files are named in a notice; an apply that is refused lists all."""


class Checkout(Struct, frozen=True, kw_only=True):
    """The commit that a run works on, as the record sees it. `dirty`: what no commit holds, of what decides the run.

    `outside`: what is in no commit of this repository because another folder was named on the command line.
    """

    head: str | None
    recorded: str | None
    dirty: tuple[str, ...]
    outside: tuple[str, ...] = ()
    relation: Relation

    @classmethod
    def of(cls, project: Project, target: Target, repository: GitRepository, recorded: str | None) -> "Checkout":
        """Look at the work tree, and at as much of the history as it takes."""
        head = repository.head()
        top = repository.top.resolve()
        paths = project.declared_paths(target)
        inside = [each for each in paths if each.resolve().is_relative_to(top)]
        outside = [f"{each} (outside the repository)" for each in paths if each not in inside and each.exists()]
        state = Relation.SAME
        if head is not None and recorded is not None:
            state = relation(repository, recorded, head, remote=project.settings.record.remote)
        others = repository.of_others(inside)
        elsewhere = [f"{each}/ (of another repository)" for each in others]
        dirty = [each for each in repository.dirty(inside) if each.rstrip("/") not in others]
        if project.folders is None:
            dirty, outside = [*dirty, *outside], []
        return cls(head=head, recorded=recorded, dirty=(*dirty, *elsewhere), outside=tuple(outside), relation=state)

    def violations(self) -> list[Violation]:
        """What stops an apply: it runs on committed declarations, never on older ones than before.

        RecordTrouble where the history does not tell.
        """
        if self.relation is Relation.UNKNOWN:
            raise RecordTrouble(f"nothing was written to the target: {self._worded(_TOO_SHORT)}", _FETCH_HISTORY)
        found = []
        if self.dirty or self.outside or self.head is None:
            items = (*self.dirty, *self.outside) or ("the whole checkout",)
            mend = "commit, and run the apply on that commit"
            found.append(violation("dirty", self._dirty_words(), items, 0, mend))
        if self.relation in _OLD:
            items = (f"{self.recorded} {self.head}",)
            words = self._worded(_OLD[self.relation])
            found.append(violation(self.relation.value, words, items, 0, _OLD_MEND[self.relation]))
        return found

    def notices(self) -> list[Diagnostic]:
        """The same for a plan, which goes on. Whoever names another folder, as for a pull request, knows that."""
        found = []
        if self.dirty or self.head is None:
            named = ", ".join(self.dirty[:_SHOWN])
            more = f" and {len(self.dirty) - _SHOWN} more" if len(self.dirty) > _SHOWN else ""
            summary = f"{self._dirty_words()}{': ' if named else ''}{named}{more}; an apply would refuse"
            found.append(_notice("dirty", summary, "commit, and run the apply on that commit"))
        if self.relation is Relation.UNKNOWN:
            found.append(_notice("unknown-history", f"{self._worded(_TOO_SHORT)}; an apply would stop", _FETCH_HISTORY))
        elif self.relation in _OLD:
            summary = f"{self._worded(_OLD[self.relation])}; an apply would refuse"
            found.append(_notice(self.relation.value, summary, _OLD_MEND[self.relation]))
        return found

    def beforehand(self, project: Project, repository: GitRepository) -> list[Diagnostic]:
        """What an apply says before it asks: it is about to record a commit that the next one may not contain."""
        if self.head is None:
            return []
        main = default_branch_without(repository, self.head, remote=project.settings.record.remote)
        if main is None:
            return []
        summary = f"the commit {self.head[:12]} is not on {main}, and will be recorded as the one that was applied"
        return [_notice("not-on-main", summary, _NOT_ON_MAIN.format(main=main))]

    def _dirty_words(self) -> str:
        if self.head is None:
            return "this repository has no commit yet"
        return "declarations or settings that are not committed"

    def _worded(self, sentence: str) -> str:
        return sentence.format(head=(self.head or "")[:12], recorded=(self.recorded or "")[:12])


def _notice(code: str, summary: str, mend: str) -> Diagnostic:
    return Diagnostic(severity=Severity.NOTICE, code=code, summary=summary, mend=mend)
