"""Proof in git before a removal: whether somebody whom only the record still knows was declared in a reviewed commit.

The record is a ref that everybody with write access can move. A commit proves something only where it is in the
history of this checkout, or in that of the commit that was applied last (which `behind` and `diverged` look at).
Reads git and nothing else; an address that is not found, or a commit that cannot be had, is simply not proved.
"""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.committed import files_below
from reconciler.declarations import declarations_in
from reconciler.declarations.declared import Entry, fold, logins
from reconciler.lazy import dataclass, pattern
from reconciler.model import Address, AppliedState, DesiredState, ResourceType, Standing
from reconciler.project import Project
from reconciler.record.history import Relation, has_commit, relation
from reconciler.record.repository import GitRepository
from reconciler.record.store import RecordError
from reconciler.settings import DEFAULT_FOLDER, Target
from reconciler.yamlsource import read_yaml

Folded = tuple[ResourceType, str]
_WORDS: Final = pattern(rb"[a-z0-9._@+-]+")
"""What a key can be made of: a file that holds no such word does not declare it, and is not parsed."""


def standings(
    project: Project, target: Target, repository: GitRepository, desired: DesiredState, applied: AppliedState
) -> dict[Folded, Standing]:
    """Folded address -> how git shows it, of those in the record that are neither declared nor released."""
    declared = {each.folded for each in (*desired.resources, *desired.released)}
    gone = {address: entry.source for address, entry in applied.resources.items() if address.folded not in declared}
    if not gone:
        return {}
    proof = _Proof(project=project, target=target, repository=repository, recorded=applied.commit)
    found: dict[Folded, Standing] = {}
    for commits in (gone, dict.fromkeys(gone, applied.commit)):
        for commit, addresses in _by_commit(commits, found):
            if proof.counts(commit):
                found |= proof.in_commit(commit, addresses)
    return found


def _by_commit(
    commits: Mapping[Address, str | None], found: Mapping[Folded, Standing]
) -> list[tuple[str, list[Address]]]:
    grouped: dict[str, list[Address]] = {}
    for address, commit in commits.items():
        if commit is not None and address.folded not in found:
            grouped.setdefault(commit, []).append(address)
    return sorted(grouped.items())


@dataclass(frozen=True, kw_only=True)
class _Proof:
    """Where to look. `recorded`: the commit that was applied last."""

    project: Project
    target: Target
    repository: GitRepository
    recorded: str | None

    def counts(self, commit: str) -> bool:
        """Whether a commit is part of the reviewed history, and at hand."""
        remote = self.project.settings.record.remote
        tips = [each for each in (self.repository.head(), self.recorded) if each is not None]
        try:
            return any(
                relation(self.repository, commit, tip, remote=remote) in (Relation.SAME, Relation.AHEAD)
                for tip in dict.fromkeys(tips)
            ) and has_commit(self.repository, commit, remote=remote)
        except RecordError:
            return False

    def in_commit(self, commit: str, addresses: Iterable[Address]) -> dict[Folded, Standing]:
        """Those of some addresses that the declarations of a commit hold."""
        wanted = {address.folded for address in addresses}
        words = {key.encode() for _, key in wanted}
        try:
            files = self._files(commit)
        except RecordError:
            return {}
        near = {path: data for path, data in files.items() if words & set(_WORDS.findall(data.lower()))}
        read = declarations_in(near)
        found: dict[Folded, Standing] = {}
        for resource_type, entries in ((ResourceType.USER, read.users), (ResourceType.GROUP, read.groups)):
            for entry in entries:
                folded = Address(resource_type, entry.key).folded
                if folded in wanted:
                    found.setdefault(folded, Standing(names=_names(resource_type, entry), path=entry.source.path))
        return found

    def _files(self, commit: str) -> dict[str, bytes]:
        """The declaration files of a commit, by their path below the folder of the settings."""
        inside = self.project.settings.folder.resolve().relative_to(self.repository.top.resolve()).as_posix()
        return files_below(self.repository, commit, inside, self._folders(commit, inside))

    def _folders(self, commit: str, inside: str) -> list[str]:
        """The folders of the target: today's, and those that the settings of the commit name; below `inside`."""
        path = posixpath.normpath(posixpath.join(inside, self.project.settings.path.name))
        data = self.repository.show(commit, path)
        then = list(_folders_in(data, self.target.name)) if data is not None else []
        today = self.project.settings.targets[self.target.name].identities
        return list(dict.fromkeys([*today, *self._read_now(), *then]))

    def _read_now(self) -> Iterator[str]:
        """The folders that this run reads instead, as far as they are in the repository."""
        home = self.project.settings.folder.resolve()
        for each in self.target.identities:
            folder = (self.project.base / each).resolve()
            if folder.is_relative_to(self.repository.top.resolve()):
                yield os.path.relpath(folder, home).replace(os.sep, "/")


def _folders_in(settings: bytes, target: str) -> Iterator[str]:
    documents = read_yaml(settings, "settings").documents
    section: Any = documents[0] if documents else None
    for key in ("targets", target):
        section = section.get(key) if isinstance(section, dict) else None
    folders = section.get("identities", DEFAULT_FOLDER) if isinstance(section, dict) else DEFAULT_FOLDER
    for each in folders if isinstance(folders, list) else [folders]:
        if isinstance(each, str) and not each.startswith(("/", "..")):
            yield each


def _names(resource_type: ResourceType, entry: Entry) -> frozenset[str]:
    """The names that the account may bear; the key where the declaration says none."""
    overrides = entry.data.get("overrides")
    layers = [entry.data, *(overrides.values() if isinstance(overrides, dict) else ())]
    named = [each.get("displayName") for each in layers if isinstance(each, dict)]
    found = logins(entry) if resource_type is ResourceType.USER else [each for each in named if isinstance(each, str)]
    return frozenset(fold(each) for each in found or [entry.key])
