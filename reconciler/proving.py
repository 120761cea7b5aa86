"""Proof in git of what the record says: that somebody whom only it still knows was declared, and by which name.

The record is a ref that everybody with write access can move. A commit proves something only where it is in the
history of this checkout, or in that of the commit that was applied last (which `behind` and `diverged` look at).
Two commits are asked for each address: the one that its entry names, and the one that was applied last. The second
one has the new name where a rename arrived and its record did not; the first one has the old name where it failed.
What an entry says itself (an id, values) proves nothing: who can write the one can write the other.
Reads git and nothing else; an address that is not found, or a commit that cannot be had, is simply not proved.
"""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from reconciler.committed import files_below
from reconciler.declarations import declarations_in
from reconciler.declarations.declared import Entry, fold, logins
from reconciler.lazy import pattern
from reconciler.model import Address, AppliedState, DesiredState, LiveState, ResourceType, Standing
from reconciler.project import Project
from reconciler.record.history import Relation, has_commit, relation
from reconciler.record.repository import GitRepository
from reconciler.record.store import RecordError
from reconciler.scim.attributes import name_path
from reconciler.settings import DEFAULT_FOLDER, Target
from reconciler.yamlsource import read_yaml

Folded = tuple[ResourceType, str]
_WORDS: Final = pattern(rb"[a-z0-9._@+-]+")
"""What a key can be made of: a file that holds no such word does not declare it, and is not parsed."""


def standings(
    project: Project,
    target: Target,
    repository: GitRepository,
    desired: DesiredState,
    applied: AppliedState,
    live: LiveState,
) -> dict[Folded, Standing]:
    """Folded address -> how git shows it, of those in the record whose account it has to vouch for.

    They are those that are neither declared nor released, and those whose account is called otherwise than declared.
    """
    doubtful = _doubtful(desired, applied, live)
    if not doubtful:
        return {}
    proof = _Proof(project=project, target=target, repository=repository, recorded=applied.commit)
    found: dict[Folded, Standing] = {}
    for commits in (doubtful, {each: applied.commit for each in doubtful if doubtful[each] != applied.commit}):
        for commit, addresses in _by_commit(commits, found, applied, live):
            if proof.counts(commit):
                for folded, stood in proof.in_commit(commit, addresses).items():
                    known = found.setdefault(folded, stood)
                    found[folded] = replace(known, names=known.names | stood.names)
    return found


def _doubtful(desired: DesiredState, applied: AppliedState, live: LiveState) -> dict[Address, str | None]:
    """Address -> the commit that its entry names."""
    declared = {each.folded: resource for each, resource in desired.resources.items()}
    released = {each.folded for each in desired.released}
    found: dict[Address, str | None] = {}
    for address, entry in applied.resources.items():
        wanted, there = declared.get(address.folded), live.resources.get(entry.live_id or "")
        if wanted is None and address.folded not in released:
            found[address] = entry.source
        elif wanted is not None and there is not None:
            name = wanted.attributes.get(name_path(address.resource_type))
            if name != there.name and fold(str(name)) != fold(there.name):
                found[address] = entry.source
    return found


def _by_commit(
    commits: Mapping[Address, str | None], found: Mapping[Folded, Standing], applied: AppliedState, live: LiveState
) -> list[tuple[str, list[Address]]]:
    """The addresses that a commit may still say something about: those whose account nothing vouches for so far."""
    grouped: dict[str, list[Address]] = {}
    for address, commit in commits.items():
        there = live.resources.get(applied.resources[address].live_id or "")
        stood = found.get(address.folded)
        if commit is not None and (stood is None or (there is not None and fold(there.name) not in stood.names)):
            grouped.setdefault(commit, []).append(address)
    return sorted(grouped.items())


class _Proof(Struct, frozen=True, kw_only=True):
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
        read = declarations_in(near, self.project.own_attributes)
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
    before = entry.data.get("formerly")
    earlier = [each for each in (before if isinstance(before, list) else [before]) if isinstance(each, str)]
    return frozenset(fold(each) for each in (*(found or [entry.key]), *earlier))
