"""One import: read the target, draft whoever is not declared, and leave out what will not do until all of it does."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from reconciler import __version__
from reconciler.connecting import reader_for
from reconciler.declarations.declared import fold
from reconciler.drafting import Draft, File, Where, drafted, file_of, is_team, keys_for, laid_out
from reconciler.errors import UsageError
from reconciler.importing.claims import claims_of
from reconciler.importing.judging import Judge, Wrong, address_of, changed, elsewhere
from reconciler.importing.outcome import Choice, Imported, Missing, followed, told
from reconciler.memory import no_collection
from reconciler.model import Address, AppliedState, LiveResource, LiveState, Paired, ResourceType, without_case
from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.reconcile import Reconciliation
from reconciler.recording import record_of
from reconciler.refreshing import refresh
from reconciler.scim.attributes import name_path
from reconciler.settings import Target
from reconciler.settings.overlay import target_profile
from reconciler.transport.client import Reader
from reconciler.transport.discovery import discovered
from reconciler.transport.listing import row_id

_PATIENCE: Final = 20
"""So many rounds leave out single values; later ones leave out whoever still has something wrong, to come to an end."""
_SCHEMA: Final = "schemas/identities.schema.json"


def import_target(project: Project, name: str | None, folder: str, choice: Choice) -> Imported:
    """Declarations for what the target holds and nobody declares yet, as new files of a folder of the target's.

    Raises InputError where the present declarations are wrong, UsageError for a folder that the target does not read,
    and what reading a target raises.
    """
    target = project.target(name)
    _check_folder(target, folder)
    applied = record_of(project, target, __version__).load().applied
    with reader_for(project, target, target_profile(target)) as reader:
        profile = discovered(reader, target_profile(target))
        live = refresh(reader, profile)
        chosen = _ids_of(reader, profile, choice.filter)
    sight = Sight(live=live, profile=profile, applied=applied, chosen=chosen)
    return imported(project, target, folder, sight, at_rest=choice.at_rest)


class Sight(Struct, frozen=True, kw_only=True):
    """What an import looks at beside the declarations. `chosen`: ids of users; None for everybody, groups too."""

    live: LiveState
    profile: Profile
    applied: AppliedState
    chosen: Collection[str] | None = None


def imported(project: Project, target: Target, folder: str, sight: Sight, *, at_rest: bool = False) -> Imported:
    """The same of what was read already. Raises InputError where the present declarations are wrong."""
    judge = Judge(project, target, sight.applied)
    with no_collection():
        return _Import(project, target, folder, judge, sight).of(at_rest=at_rest)


class _Import:
    """What is taken over, and what is not: live id -> place in the draft -> why."""

    def __init__(self, project: Project, target: Target, folder: str, judge: Judge, sight: Sight) -> None:
        self._project, self._target, self._folder = project, target, folder
        self._judge, self._live, self._profile, self._chosen = judge, sight.live, sight.profile, sight.chosen
        entries = sight.applied.resources.items()
        self._recorded = {each.live_id: str(address) for address, each in entries if each.live_id}
        self._more: dict[str, Any] = {"targets": [target.name]} if _is_shared(project, target, folder) else {}
        self._modes = {kind: {**sight.profile.rules(kind).modes, **target.modes} for kind in ResourceType}
        self._without: dict[str, dict[Where, str]] = {}
        self._missing: list[Missing] = []

    def of(self, *, at_rest: bool) -> Imported:
        """Everything that is chosen and not declared."""
        before = self._judge.before(self._live, self._profile)
        matches = before.situation.matches
        known = {match.live_id: address for address, match in matches.by_address.items() if isinstance(match, Paired)}
        free = [each for each in self._live.resources.values() if each.id not in known]
        users = [each for each in free if each.resource_type is ResourceType.USER]
        wanted = [each for each in users if self._chosen is None or each.id in self._chosen]
        groups = [] if self._chosen is not None else [each for each in free if each.resource_type is ResourceType.GROUP]
        taken = self._unclaimed([*(each for each in wanted if at_rest or each.active), *groups], matches.frozen)
        drafts, after = self._judged(_sorted(taken), known, before)
        files, after = self._with_templates(drafts, self._files(drafts), after)
        self._note(drafts)
        kinds = [each.resource.resource_type for each in drafts]
        own = {address_of(each): each for each in drafts}
        return Imported(
            files=files,
            users=kinds.count(ResourceType.USER),
            groups=kinds.count(ResourceType.GROUP),
            declared=len(known),
            at_rest=0 if at_rest else sum(not each.active for each in wanted),
            left_out=told(self._missing),
            follows=followed(elsewhere(before, after, own), after.plan.names),
            compared=after,
        )

    def _unclaimed(self, resources: Sequence[LiveResource], frozen: Collection[str]) -> list[LiveResource]:
        """Those of whom no line and no record speaks: that has to change first.

        `frozen`: ids of whom nobody can tell whether they are declared.
        """
        claims = claims_of(self._judge.view, self._target.name)
        kept = []
        for each in resources:
            claim, recorded = claims.on(each), self._recorded.get(each.id)
            if claim is not None:
                missing = Missing(resource=each, where=(), reason=claim.reason, source=claim.source, mend=claim.mend)
                self._missing.append(missing)
            elif each.id in frozen:
                reason = "whether it is declared cannot be told"
                mend = "run `reconciler plan`: it names who may be meant, and what to do"
                self._missing.append(Missing(resource=each, where=(), reason=reason, mend=mend))
            elif recorded is not None:
                reason = f"it was declared as {recorded}, and an apply that is still to come lets it go"
                self._missing.append(Missing(resource=each, where=(), reason=reason))
            else:
                kept.append(each)
        return kept

    def _judged(
        self, resources: Sequence[LiveResource], known: Mapping[str, Address], before: Reconciliation
    ) -> tuple[list[Draft], Reconciliation]:
        """The drafts without what the checks refuse and what a plan would change; and the comparison with them.

        It ends, because each round leaves out something more.
        """
        keys = self._keys(resources)
        tried = 0
        while True:
            drafts = self._drafted(resources, keys, known, before)
            if not drafts:
                return [], before
            files = self._files(drafts)
            wrong = self._judge.refused(files)
            if not wrong:
                after = self._judge.after(files, self._live, self._profile)
                wrong = changed(after, {address_of(each): each for each in drafts}, self._profile)
                if not wrong:
                    return drafts, after
            tried += 1
            for each in wrong:
                self._leave_out(each, whole=tried > _PATIENCE)

    def _with_templates(
        self, drafts: Sequence[Draft], plain: dict[str, File], after: Reconciliation
    ) -> tuple[dict[str, File], Reconciliation]:
        """The same files with what a team has in common in a template, if that is as good."""
        files = self._files(drafts, templates=True)
        if any(files[path].text != plain[path].text for path in files) and self._judge.accepts(files):
            found = self._judge.after(files, self._live, self._profile)
            if not changed(found, {address_of(each): each for each in drafts}, self._profile):
                return files, found
        return plain, after

    def _leave_out(self, wrong: Wrong, *, whole: bool) -> None:
        """Do without a place from now on, or without the one around it where that did not help."""
        resource = wrong.draft.resource
        left_out = self._without.setdefault(resource.id, {})
        required = (name_path(resource.resource_type), *self._profile.rules(resource.resource_type).required)
        where = () if whole or wrong.where[:1] in {(each,) for each in required} else wrong.where
        while where and (where in left_out or where[0] not in wrong.draft.data):
            where = where[:-1] if where[0] in wrong.draft.data else ()
        left_out[where] = wrong.reason

    def _keys(self, resources: Sequence[LiveResource]) -> dict[str, str]:
        present = self._judge.present
        users = [each for each in resources if each.resource_type is ResourceType.USER]
        groups = [each for each in resources if each.resource_type is ResourceType.GROUP]
        logins = [each.name for each in self._live.of(ResourceType.USER)]
        formerly = [str(name) for each in present.users for name in each.data.get("formerly", ())]
        keys = keys_for(users, [*(each.key for each in present.users), *formerly], logins)
        return keys | keys_for(groups, [each.key for each in present.groups])

    def _drafted(
        self,
        resources: Sequence[LiveResource],
        keys: Mapping[str, str],
        known: Mapping[str, Address],
        before: Reconciliation,
    ) -> list[Draft]:
        written = [each for each in resources if () not in self._without.get(each.id, {})]
        names = _logins(self._live)
        names |= {live_id: _name(address.resource_type, address.key) for live_id, address in known.items()}
        names |= {each.id: _name(each.resource_type, keys[each.id]) for each in written}
        held = self._memberships(before)
        return [
            drafted(
                each,
                keys[each.id],
                self._profile.rules(each.resource_type),
                self._modes[each.resource_type],
                names,
                self._without.get(each.id, {}),
                {**({"groups": held[each.id]} if each.id in held else {}), **self._more},
            )
            for each in written
        ]

    def _memberships(self, before: Reconciliation) -> dict[str, list[str]]:
        """Live id -> the keys of the declared groups whose members are managed and which somebody is in.

        Without the line a plan would show her as somebody who was added by other hands.
        """
        found: dict[str, list[str]] = {}
        for address, match in before.situation.matches.by_address.items():
            wanted = before.situation.desired.resources[address]
            if address.resource_type is ResourceType.GROUP and isinstance(match, Paired) and "members" in wanted.lists:
                for member in self._live.resources[match.live_id].lists.get("members", {}):
                    found.setdefault(member, []).append(address.key)
        return {member: sorted(keys) for member, keys in found.items()}

    def _files(self, drafts: Sequence[Draft], *, templates: bool = False) -> dict[str, File]:
        base = self._project.base
        places = laid_out(drafts, self._folder, lambda path: (base / path).exists())
        taken = {fold(each.key) for each in self._judge.present.templates}
        found: dict[str, File] = {}
        for path, own in places.items():
            team = Path(path).stem if templates and is_team(path, self._folder) else None
            found[path] = file_of(own, self._head(path), team if team and fold(team) not in taken else None)
        return found

    def _head(self, path: str) -> list[str]:
        """Comments at the top of a file: where its schema is, for editors, and where it comes from."""
        up = "../" * len(Path(path).parent.parts)
        schema = [f"# yaml-language-server: $schema={up}{_SCHEMA}"] if (self._project.base / _SCHEMA).exists() else []
        title = f'What target "{self._target.name}" held and nobody had declared, written by reconciler import.'
        return [*schema, f"# {title}"]

    def _note(self, drafts: Sequence[Draft]) -> None:
        """Name what is left out, for good now."""
        keys = {each.resource.id: each.key for each in drafts}
        for live_id, places in self._without.items():
            resource = self._live.resources[live_id]
            if live_id in keys:
                self._missing += [
                    Missing(resource=resource, where=where, reason=why, key=keys[live_id])
                    for where, why in places.items()
                ]
            else:
                reason = "; ".join(dict.fromkeys(places.values()))
                self._missing.append(Missing(resource=resource, where=(), reason=reason))
        for draft in drafts:
            self._missing += [
                Missing(resource=draft.resource, where=where, reason=why, key=draft.key)
                for where, why in draft.lost.items()
            ]


def _logins(live: LiveState) -> dict[str, Any]:
    """Live id -> ``{live: userName}``, for everybody whose login is hers alone."""
    people = [each for each in live.of(ResourceType.USER) if "userName" in each.attributes]
    by_login: dict[str, list[str]] = {}
    for each in people:
        by_login.setdefault(fold(each.name), []).append(each.id)
    return {each.id: {"live": each.name} for each in people if len(by_login[fold(each.name)]) == 1}


def _name(kind: ResourceType, key: str) -> Any:
    return key if kind is ResourceType.USER else {"group": key}


def _sorted(resources: Sequence[LiveResource]) -> list[LiveResource]:
    return sorted(resources, key=lambda each: (each.resource_type, without_case(each.name), each.id))


def _ids_of(reader: Reader, profile: Profile, only: str | None) -> Collection[str] | None:
    """The ids of the users that a filter finds; None without a filter."""
    if only is None:
        return None
    attributes = ("id", "userName") if profile.wire.list_attributes else ()
    path = profile.wire.users_path
    return {row_id(row, path) for row in reader.listing(path, filter=only, attributes=attributes).rows}


def _check_folder(target: Target, folder: str) -> None:
    """Whether new files there would be read for the target."""
    path = Path(folder)
    if not any(path.is_relative_to(each) for each in target.identities) or ".." in path.parts:
        mend = f"name one below {' or '.join(target.identities)} by --out"
        raise UsageError(f'target "{target.name}" does not read {folder}', mend)


def _is_shared(project: Project, target: Target, folder: str) -> bool:
    """Whether other targets read the folder too: what is imported is of this one alone."""
    others = (each for each in project.settings.targets.values() if each.name != target.name)
    return any(Path(folder).is_relative_to(each) for other in others for each in other.identities)
