"""Takes live users and groups into declarations, so that the next plan has nothing to do. Only reads from the target.

What is written passes the same checks as what people write, and a plan is made of it: a line that would be refused, or
would change something, is left out and named.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.connecting import reader_for
from reconciler.declarations import Declarations, check_and_resolve, declarations_in, load_declarations
from reconciler.drafting import Data, Draft, File, drafted, file_of, keys_for
from reconciler.errors import InputError, UsageError
from reconciler.memory import no_collection
from reconciler.model import (
    Address,
    AppliedState,
    DesiredState,
    Diagnostic,
    LiveReference,
    LiveResource,
    LiveState,
    Paired,
    ResourceType,
    Severity,
    SourceLocation,
)
from reconciler.profiles.profile import Profile
from reconciler.project import Project, day_in
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.recording import record_of
from reconciler.refreshing import refresh
from reconciler.scim.paths import short_path
from reconciler.settings import Target
from reconciler.settings.overlay import target_profile
from reconciler.transport.client import Reader
from reconciler.transport.discovery import discovered

USERS: Final = "users.yaml"
GROUPS: Final = "groups.yaml"
_FILES: Final = {ResourceType.USER: USERS, ResourceType.GROUP: GROUPS}
_NOTHING_YET: Final = ("no-such-folder", "empty-folder")
_ROUNDS: Final = 8
"""How often lines are left out and the rest is checked again; what is still wrong then is left out whole."""

_Drafts: TypeAlias = dict[str, Draft]
_Wrong: TypeAlias = dict[tuple[ResourceType, str], dict[str, str]]
"""A draft -> the names of its lines that will not do, and why ("": all of it)."""


class Choice(Struct, frozen=True, kw_only=True):
    """Whom to take. `filter`: an RFC 7644 §3.4.2.2 filter on users, which the target answers; then no groups.

    `at_rest`: inactive users too.
    """

    filter: str | None = None
    at_rest: bool = False


class Imported(Struct, frozen=True, kw_only=True):
    """What to write: path, relative to the project's base -> text. `left_out`: what is not in it, and why.

    `declared`: live users and groups that are declared already; `at_rest`: inactive users that were not asked for.
    """

    files: Mapping[str, str]
    users: int
    groups: int
    declared: int
    at_rest: int
    left_out: tuple[Diagnostic, ...] = ()


def import_target(project: Project, name: str | None, folder: str, choice: Choice) -> Imported:
    """Declarations for what the target holds and nobody declares yet, as files of a folder of the target's.

    Raises InputError where the present declarations are wrong, UsageError for a folder that the target does not read or
    that has such files already, and what reading a target raises.
    """
    target = project.target(name)
    _check_folder(project, target, folder)
    run = _Import(project, target, folder)
    with reader_for(project, target, run.profile) as reader:
        run.profile = discovered(reader, run.profile)
        live = refresh(reader, run.profile)
        chosen = _ids_of(reader, run.profile, choice.filter)
    return run.of(live, chosen, choice)


class _Import:
    """One import: what is declared already, and how a plan of it with more would come out."""

    def __init__(self, project: Project, target: Target, folder: str) -> None:
        self._project, self._target, self._folder = project, target, folder
        self.profile: Profile = target_profile(target)
        self._present = load_declarations(project.base, target.identities)
        self._applied: AppliedState = record_of(project, target, __version__).load().applied
        self._now = datetime.now(UTC)
        self._more: Data = {"targets": [target.name]} if _is_shared(project, target, folder) else {}
        self._left_out: list[Diagnostic] = []

    @no_collection()
    def of(self, live: LiveState, chosen: Collection[str] | None, choice: Choice) -> Imported:
        """Everything that is chosen and not declared."""
        present = self._resolved(self._present)
        before = self._reconciled(present, live).situation.matches
        known = {match.live_id: address for address, match in before.by_address.items() if isinstance(match, Paired)}
        free = [each for each in live.resources.values() if each.id not in known and each.id not in before.frozen]
        users = [each for each in free if each.resource_type is ResourceType.USER]
        wanted = [each for each in users if chosen is None or each.id in chosen]
        taken = self._not_named_as_live([each for each in wanted if choice.at_rest or each.active], present)
        groups = [] if chosen is not None else [each for each in free if each.resource_type is ResourceType.GROUP]
        drafts = self._checked(self._drafted([*_sorted(taken), *_sorted(groups)], known, live), live)
        kinds = [each.resource_type for each in drafts.values()]
        return Imported(
            files={path: file.text for path, file in self._files(drafts).items()},
            users=kinds.count(ResourceType.USER),
            groups=kinds.count(ResourceType.GROUP),
            declared=len(known),
            at_rest=0 if choice.at_rest else sum(not each.active for each in wanted),
            left_out=tuple(self._left_out),
        )

    def _not_named_as_live(self, users: Sequence[LiveResource], present: DesiredState) -> list[LiveResource]:
        """The users without those whom a line names as not declared: that line has to change first."""
        places = {each.name.casefold(): place for each, place in _live_references(present)}
        kept = []
        for each in users:
            if each.name.casefold() in places:
                self._left_out.append(_left_out_as_live(each, places[each.name.casefold()]))
            else:
                kept.append(each)
        return kept

    def _drafted(self, resources: Sequence[LiveResource], known: Mapping[str, Address], live: LiveState) -> _Drafts:
        users = [each for each in resources if each.resource_type is ResourceType.USER]
        groups = [each for each in resources if each.resource_type is ResourceType.GROUP]
        logins = [each.name for each in live.of(ResourceType.USER)]
        keys = keys_for(users, [each.key for each in self._present.users], logins)
        keys |= keys_for(groups, [each.key for each in self._present.groups])
        names: dict[str, Any] = {each.id: {"live": each.name} for each in live.of(ResourceType.USER)}
        names |= {live_id: _name(address.resource_type, address.key) for live_id, address in known.items()}
        names |= {each.id: _name(each.resource_type, keys[each.id]) for each in resources}
        return {each.id: drafted(each, keys[each.id], self.profile, names) for each in resources}

    def _checked(self, drafts: _Drafts, live: LiveState) -> _Drafts:
        """The drafts without what the checks refuse and what a plan would change."""
        for tried in range(_ROUNDS):
            files = self._files(drafts)
            problems, desired = self._look(files)
            wrong = self._refused(files, problems) or self._changed(drafts, self._reconciled(desired, live))
            if not wrong:
                return drafts
            for key in wrong:
                if tried == _ROUNDS - 1:
                    wrong[key] |= {"": "it could not be written so that a plan leaves it as it is"}
            drafts = self._without(drafts, wrong)
        return drafts

    def _files(self, drafts: _Drafts) -> dict[str, File]:
        found: dict[str, File] = {}
        for kind, name in _FILES.items():
            own = [each for each in drafts.values() if each.resource_type is kind]
            if own:
                title = f'What target "{self._target.name}" held and nobody had declared, written by reconciler import.'
                found[f"{self._folder}/{name}"] = file_of(own, title, self._more)
        return found

    def _look(self, files: Mapping[str, File]) -> tuple[tuple[Diagnostic, ...], DesiredState]:
        new = declarations_in({path: file.text.encode("utf-8", "surrogatepass") for path, file in files.items()})
        both = replace(
            self._present,
            files=self._present.files + new.files,
            users=(*self._present.users, *new.users),
            groups=(*self._present.groups, *new.groups),
        )
        problems, desired = self._judged(both)
        return (*new.diagnostics, *problems), desired

    def _resolved(self, declarations: Declarations) -> DesiredState:
        problems, desired = self._judged(declarations)
        said = (each for each in declarations.diagnostics if each.code not in _NOTHING_YET)
        errors = [each for each in (*said, *problems) if each.severity is Severity.ERROR]
        if errors:
            raise InputError("the declarations cannot be used", errors)
        return desired

    def _judged(self, declarations: Declarations) -> tuple[tuple[Diagnostic, ...], DesiredState]:
        def today_in(zone: str) -> date:
            return day_in(zone, self._now)

        names = self._project.settings.targets
        today = today_in(self._target.time_zone)
        return check_and_resolve(declarations, self._target, self.profile, today, today_in, known_targets=names)

    def _reconciled(self, desired: DesiredState, live: LiveState) -> Reconciliation:
        context = Context(target=self._target.name, tool_version=__version__)
        return reconcile(desired, live, self._applied, self.profile, self._target.policy, context)

    def _refused(self, files: Mapping[str, File], problems: Sequence[Diagnostic]) -> _Wrong:
        """What the checks refuse."""
        wrong: _Wrong = {}
        kinds = {f"{self._folder}/{name}": kind for kind, name in _FILES.items()}
        for each in problems:
            if each.severity is not Severity.ERROR or each.source is None:
                continue
            file = files.get(each.source.path)
            owner = file.owners.get(each.source.line) if file is not None else None
            if owner is None:
                raise InputError("the declarations cannot be used", [each])
            key, name = owner
            wrong.setdefault((kinds[each.source.path], key), {})[name] = each.summary
        return wrong

    def _changed(self, drafts: _Drafts, found: Reconciliation) -> _Wrong:
        """What a plan would change."""
        own = {(each.resource_type, each.key) for each in drafts.values()}
        wrong: _Wrong = {}
        for change in (*found.plan.changes, *found.plan.drift):
            who = (change.address.resource_type, change.address.key)
            if who not in own:
                continue
            rules = self.profile.rules(change.address.resource_type)
            for each in change.attribute_changes:
                attribute = rules.table.by_path(each.path)
                name = attribute.name if attribute is not None else each.path.rpartition(":")[0]
                wrong.setdefault(who, {})[name] = f"a plan would change {short_path(each.path)}"
            if not change.attribute_changes:
                wrong.setdefault(who, {})[""] = "a plan would change it"
        for refused in found.plan.refused:
            if refused.address is not None and (refused.address.resource_type, refused.address.key) in own:
                wrong.setdefault((refused.address.resource_type, refused.address.key), {})[""] = refused.summary
        return wrong

    def _without(self, drafts: _Drafts, wrong: _Wrong) -> _Drafts:
        kept: _Drafts = {}
        for live_id, draft in drafts.items():
            why = wrong.get((draft.resource_type, draft.key))
            required = ("userName", "displayName") if draft.resource_type is ResourceType.GROUP else ("userName",)
            whole = why is not None and any(name in ("", *required, "targets") for name in why)
            for name, reason in (why or {}).items():
                self._left_out.append(_left_out(draft, "" if whole else name, reason))
            if not whole:
                kept[live_id] = draft.without(why or ())
        return kept


def _left_out(draft: Draft, name: str, reason: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.NOTICE,
        code="not-imported",
        summary=f"{f'{name} is ' if name else ''}left out: {reason}",
        address=Address(draft.resource_type, draft.key),
    )


def _left_out_as_live(user: LiveResource, place: SourceLocation | None) -> Diagnostic:
    return Diagnostic(
        severity=Severity.NOTICE,
        code="not-imported",
        summary=f'"{user.name}" is left out: here it is named as live, for people who are not declared',
        mend="take it out here, import, and write the key",
        source=place,
    )


def _live_references(desired: DesiredState) -> Iterator[tuple[LiveReference, SourceLocation | None]]:
    for resource in desired.resources.values():
        for path, value in resource.attributes.items():
            if isinstance(value, LiveReference):
                yield value, resource.origins[path].source
        for held in resource.lists.values():
            yield from (
                (item, each.origin.source) for item, each in held.items.items() if isinstance(item, LiveReference)
            )


def _name(kind: ResourceType, key: str) -> Any:
    return key if kind is ResourceType.USER else {"group": key}


def _sorted(resources: Sequence[LiveResource]) -> list[LiveResource]:
    return sorted(resources, key=lambda each: (each.name.casefold(), each.id))


def _ids_of(reader: Reader, profile: Profile, only: str | None) -> Collection[str] | None:
    """The ids of the users that a filter finds; None without a filter."""
    if only is None:
        return None
    attributes = ("id", "userName") if profile.wire.list_attributes else ()
    return {str(row["id"]) for row in reader.listing(profile.wire.users_path, filter=only, attributes=attributes).rows}


def _check_folder(project: Project, target: Target, folder: str) -> None:
    """Whether new files there would be read for the target, and none is there yet."""
    path = Path(folder)
    if not any(path.is_relative_to(each) for each in target.identities) or ".." in path.parts:
        mend = f"name one below {' or '.join(target.identities)} by --out"
        raise UsageError(f'target "{target.name}" does not read {folder}', mend)
    for name in _FILES.values():
        if (project.base / path / name).exists():
            mend = "name another folder by --out; nothing is overwritten"
            raise UsageError(f"{folder}/{name} is there already", mend)


def _is_shared(project: Project, target: Target, folder: str) -> bool:
    """Whether other targets read the folder too: what is imported is of this one alone."""
    others = (each for each in project.settings.targets.values() if each.name != target.name)
    return any(Path(folder).is_relative_to(each) for other in others for each in other.identities)
