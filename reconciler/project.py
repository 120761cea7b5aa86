"""What a run is about, opened once: the settings, the repository they stand in, and the declarations of a target.

Reads files and git; knows no service provider.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from reconciler.declarations import (
    Declarations,
    check_and_resolve,
    check_declarations,
    declarations_in,
    load_declarations,
)
from reconciler.declarations.declared import view_of
from reconciler.errors import InputError, UsageError
from reconciler.model import DesiredState, Diagnostic, Severity, SourceLocation
from reconciler.profiles.profile import Profile
from reconciler.schemas import Own
from reconciler.settings import DEFAULT_FOLDER, Settings, Target
from reconciler.settings.acceptances import NAME as ACCEPTANCES
from reconciler.settings.acceptances import load_acceptances
from reconciler.settings.changes import to_come
from reconciler.settings.loading import find_settings, load_settings
from reconciler.settings.overlay import target_profile
from reconciler.settings.own_profile import guessed_attributes, own_attributes
from reconciler.suggestions import suggestion

if TYPE_CHECKING:
    from reconciler.record.repository import GitRepository


class Project(Struct, frozen=True, dict=True):
    """Settings, and where the declarations are: `base` is the folder that their paths are shown relative to."""

    settings: Settings
    base: Path
    folders: tuple[str, ...] | None = None

    @cached_property
    def repository(self) -> "GitRepository | None":
        """The repository that holds the settings; None outside git, and where there is neither git nor a repository.

        A CI system may run a job as another user than the one that made the checkout; git then wants to be told that
        the folder is trusted. That is done for the runner's own workspace only, where the settings stand at its top.
        Raises GitError for a repository that cannot be opened: its record must not be passed over.
        """
        # checks of declarations do without processes
        from reconciler.record.repository import GitRepository, has_git
        from reconciler.record.store import GitError
        from reconciler.record.surroundings import workspace

        home, given = self.settings.folder.resolve(), workspace()
        trusted = home if given is not None and given.resolve() == home and (home / ".git").exists() else None
        try:
            return GitRepository.find(self.settings.folder, trusted=trusted)
        except GitError:
            folder = self.settings.folder.resolve()
            if not has_git() and not any((each / ".git").exists() for each in (folder, *folder.parents)):
                return None
            raise

    @cached_property
    def accepted(self) -> Mapping[str, SourceLocation]:
        """The ``RULE@DIGEST`` that reviewed lines accept, and where they stand.

        They come with the declarations, so they stand beside those; policy comes from the settings alone.
        """
        return load_acceptances(self.base)

    @cached_property
    def own_attributes(self) -> Own:
        """What declarations may hold because a profile of this repository says so, whichever target it is for."""
        return own_attributes(self.settings)

    @cached_property
    def settings_to_come(self) -> Sequence[Diagnostic]:
        """What the settings beside the declarations would change about those in use, where they are others."""
        return to_come(self.settings.path, self.base, self.settings.profiles)

    def target(self, name: str | None) -> Target:
        """The target of that name, or the default one. UsageError if there is none."""
        name = name or self.settings.default_target
        target = self.settings.targets.get(name)
        if target is None:
            raise UsageError(f'there is no target "{name}" in {self.settings.path.name}', self._known(name))
        return target if self.folders is None else replace(target, identities=self._given(target))

    def _given(self, target: Target) -> tuple[str, ...]:
        """The folders of a target where others are given: below one of the same name it keeps its own."""
        (given,) = self.folders or ()
        own = all(each.partition("/")[0] == given for each in target.identities)
        return target.identities if own else (given,)

    def _known(self, name: str) -> str:
        return suggestion(name, self.settings.targets)

    def problems(self, targets: Sequence[Target]) -> tuple[tuple[Diagnostic, ...], Declarations]:
        """Everything that is wrong or odd in the declarations of these targets, each said once; and what was read."""
        folders = tuple(dict.fromkeys(folder for target in targets for folder in target.identities))
        declarations = load_declarations(self.base, folders, self.own_attributes)
        checked = check_declarations(
            declarations, [(each, target_profile(each)) for each in targets], known_targets=self.settings.targets
        )
        return (*declarations.diagnostics, *checked, *self._acceptance_problems()), declarations

    def notes(self, targets: Sequence[Target], declarations: Declarations) -> tuple[str, ...]:
        """What no line is wrong about and only a plan can tell, a sentence for each target that has such a thing."""
        return tuple(note for each in targets if (note := _note(each, declarations)))

    def _acceptance_problems(self) -> tuple[Diagnostic, ...]:
        try:
            _ = self.accepted
        except InputError as error:
            return error.diagnostics
        return ()

    def desired(self, target: Target, today: date | None = None) -> tuple[DesiredState, Profile]:
        """The desired state of a target on a day (None: today there). InputError with every problem of every file."""
        return self._resolved(target, load_declarations(self.base, target.identities, self.own_attributes), today)

    def desired_by(
        self, target: Target, files: Mapping[str, bytes], today: date | None = None
    ) -> tuple[DesiredState, Profile]:
        """The same of other files than those that are here: path from `base` -> content."""
        return self._resolved(target, declarations_in(files, self.own_attributes), today)

    def _resolved(self, target: Target, declarations: Declarations, today: date | None) -> tuple[DesiredState, Profile]:
        now = datetime.now(UTC)

        def today_in(zone: str) -> date:
            return today or day_in(zone, now)

        profile = target_profile(target)
        checked, desired = check_and_resolve(
            declarations,
            target,
            profile,
            today_in(target.time_zone),
            today_in,
            known_targets=self.settings.targets,
        )
        problems = (*declarations.diagnostics, *checked, *self._acceptance_problems())
        errors = [each for each in problems if each.severity is Severity.ERROR]
        if errors:
            raise InputError("the declarations cannot be used", errors)
        return replace(desired, diagnostics=(*problems, *desired.diagnostics)), profile

    def declared_paths(self, target: Target) -> list[Path]:
        """Files and folders that decide what a target should look like, and what may be done to it."""
        own = [self.settings.folder / target.own_profile.path] if target.own_profile is not None else []
        folders = [self.base / each for each in target.identities]
        return [self.settings.path, *own, self.base / ACCEPTANCES, *folders]


def _note(target: Target, declarations: Declarations) -> str:
    """What the service provider cannot do with groups over SCIM, where some are declared for it."""
    can = target_profile(target).lifecycle
    verbs = (("created", can.group_create), ("renamed", can.group_rename), ("deleted", can.group_delete))
    impossible = [verb for verb, possible in verbs if not possible]
    groups = view_of(declarations, target.identities).groups
    if can.group_create or not any(each.is_for(target.name) for each in groups):
        return ""
    return (
        f"{target.name}: groups cannot be {' or '.join(', '.join(impossible).rsplit(', ', 1))} over SCIM; each one "
        f"declared must exist {can.group_place}, by its displayName, and a plan names those that do not"
    )


def day_in(zone: str, now: datetime) -> date:
    """What day it is in an IANA time zone at a moment; one moment serves a whole run, or midnight would split it."""
    return now.astimezone(ZoneInfo(zone)).date()


def open_project(start: Path, settings: Path | None, identities: Path | None) -> Project:
    """Find and read the settings; `identities` replaces the folders of every target.

    A target whose folders all lie in one of the same name keeps them there: `identities/emea` is looked for in
    `elsewhere/identities/emea`.
    """
    found = load_settings(find_settings(start, settings))
    if identities is None:
        return Project(found, found.folder)
    folder = (start / identities).resolve()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {identities}", "name the folder that holds the declarations")
    for place in _places(start, identities):
        if place.is_symlink() and not place.resolve().is_relative_to(place.parent.resolve()):
            raise UsageError(f"{place} is a link that leads elsewhere", "what it points to is not under review there")
    return Project(found, folder.parent, (folder.name,))


def _places(start: Path, identities: Path) -> Sequence[Path]:
    """The folders that a given path names one by one; of an absolute one the last, as the rest is the machine's."""
    if identities.is_absolute():
        return [identities]
    return [start / each for each in (identities, *identities.parents) if each.name not in ("", "..")]


def problems_without_settings(start: Path, settings: Path | None, identities: Path | None) -> tuple[Diagnostic, ...]:
    """What is wrong with declarations whatever the settings say, for settings that cannot be used."""
    base = find_settings(start, settings).parent
    folder = (start / identities).resolve() if identities is not None else base / DEFAULT_FOLDER
    if not folder.is_dir():
        return ()
    declarations = load_declarations(folder.parent, (folder.name,), guessed_attributes(base))
    return (*declarations.diagnostics, *check_declarations(declarations, ()))
