"""What the checks and a plan say about drafts, beside everything that is declared already."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.declarations import Declarations, check_declarations, declarations_in, load_declarations, resolve
from reconciler.declarations.declared import View, view_of
from reconciler.drafting import Draft, File, Where
from reconciler.errors import InputError
from reconciler.model import (
    Address,
    AppliedState,
    AttributeChange,
    Change,
    DesiredState,
    Diagnostic,
    LiveState,
    ResourceType,
    Severity,
)
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.project import Project, day_in
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.schemas import Own
from reconciler.scim.attributes import Kind
from reconciler.scim.paths import element_of, short_path
from reconciler.settings import Target
from reconciler.settings.overlay import target_profile

_NOTHING_YET: Final = ("no-such-folder", "empty-folder")


class Wrong(Struct, frozen=True):
    """A place of a draft that will not do, and why."""

    draft: Draft
    where: Where
    reason: str


class Judge:
    """Judges for all targets of the settings, as `validate` does, and plans for one of them."""

    def __init__(self, project: Project, target: Target, applied: AppliedState) -> None:
        self._target, self._applied, self._now = target, applied, datetime.now(UTC)
        self._names = project.settings.targets
        self._more = project.own_attributes
        self._last: tuple[Mapping[str, File], Declarations] | None = None
        own = load_declarations(project.base, target.identities, self._more)
        targets = [project.target(each) for each in self._names]
        folders = tuple(dict.fromkeys(folder for each in targets for folder in each.identities))
        self.present = own if folders == target.identities else load_declarations(project.base, folders, self._more)
        self._targets = [(each, target_profile(each)) for each in targets]
        self._known = {_told_by(each) for each in self._problems(self.present)}
        said = [each for each in own.diagnostics if each.code not in _NOTHING_YET]
        checked = check_declarations(own, [(target, target_profile(target))], known_targets=self._names)
        errors = [each for each in (*said, *checked) if each.severity is Severity.ERROR]
        if errors:
            raise InputError("the declarations cannot be used", errors)

    @property
    def view(self) -> View:
        """What the target reads."""
        return view_of(self.present, self._target.identities)

    def before(self, live: LiveState, profile: Profile) -> Reconciliation:
        """The comparison without any draft."""
        return self._reconciled(self._resolved(self.present), live, profile)

    def refused(self, files: Mapping[str, File]) -> list[Wrong]:
        """What the checks refuse. InputError for something that is nobody's of those who are new."""
        new = self._read(files)
        if new.unread:
            found = [each for path in new.unread for each in _unreadable(files[path], self._more)]
            if not found:
                raise InputError("the declarations cannot be used", self._errors(new))
            return found
        found = []
        for each in self._errors(new):
            file = files.get(each.source.path) if each.source else None
            owner = file.at(each.source) if file and each.source else None
            if owner is None:
                raise InputError("the declarations cannot be used", [each])
            found.append(Wrong(*owner, each.summary))
        return found

    def accepts(self, files: Mapping[str, File]) -> bool:
        """Whether the checks refuse nothing."""
        return not self._errors(self._read(files))

    def after(self, files: Mapping[str, File], live: LiveState, profile: Profile) -> Reconciliation:
        """The comparison with everything in the files, which nothing is wrong with."""
        return self._reconciled(self._resolved(self._with(self._read(files))), live, profile)

    def _errors(self, new: Declarations) -> list[Diagnostic]:
        """What is wrong, and was not before."""
        problems = (*new.diagnostics, *self._problems(self._with(new)))
        return [each for each in problems if each.severity is Severity.ERROR and _told_by(each) not in self._known]

    def _read(self, files: Mapping[str, File]) -> Declarations:
        """What the files say; each question about the same files reads them once."""
        if self._last is None or self._last[0] is not files:
            texts = {path: file.text.encode("utf-8", "surrogatepass") for path, file in files.items()}
            self._last = files, declarations_in(texts, self._more)
        return self._last[1]

    def _with(self, new: Declarations) -> Declarations:
        return replace(
            self.present,
            files=self.present.files + new.files,
            templates=(*self.present.templates, *new.templates),
            users=(*self.present.users, *new.users),
            groups=(*self.present.groups, *new.groups),
        )

    def _problems(self, declarations: Declarations) -> tuple[Diagnostic, ...]:
        return check_declarations(declarations, self._targets, known_targets=self._names)

    def _resolved(self, declarations: Declarations) -> DesiredState:
        def today_in(zone: str) -> date:
            return day_in(zone, self._now)

        today = today_in(self._target.time_zone)
        return resolve(declarations, self._target, target_profile(self._target), today, today_in)

    def _reconciled(self, desired: DesiredState, live: LiveState, profile: Profile) -> Reconciliation:
        context = Context(target=self._target.name, tool_version=__version__)
        return reconcile(desired, live, self._applied, profile, self._target.policy, context)


_Told: TypeAlias = tuple[str, str, str]


def _told_by(diagnostic: Diagnostic) -> _Told:
    return diagnostic.code, str(diagnostic.source), diagnostic.summary


def _unreadable(file: File, more: Own) -> Iterator[Wrong]:
    """Who is to blame for a file that cannot be read to its end: each is read alone."""
    from reconciler.drafting import file_of

    for draft in file.drafts:
        alone = file_of([draft], ())
        for each in declarations_in({"": alone.text.encode("utf-8", "surrogatepass")}, more).diagnostics:
            if each.severity is Severity.ERROR and each.source is not None:
                yield Wrong(*(alone.at(each.source) or (draft, ())), each.summary)


def changed(found: Reconciliation, drafts: Mapping[Address, Draft], profile: Profile) -> list[Wrong]:
    """What a plan would change about the drafts, or refuses."""
    wrong: list[Wrong] = []
    for change in (*found.plan.changes, *found.plan.drift):
        draft = drafts.get(change.address)
        if draft is None:
            continue
        rules = profile.rules(change.address.resource_type)
        wrong += [
            Wrong(draft, _where(each, rules), f"a plan would change {short_path(each.path)}")
            for each in change.attribute_changes
        ]
        if not change.attribute_changes:
            wrong.append(Wrong(draft, (), "a plan would change it"))
    for refused in found.plan.refused:
        draft = drafts.get(refused.address) if refused.address else None
        wrong += [Wrong(draft, (), refused.summary)] if draft is not None else []
    return wrong


def elsewhere(before: Reconciliation, after: Reconciliation, drafts: Mapping[Address, Draft]) -> list[Change]:
    """What a plan would do about those who are declared already and would not do without the drafts."""
    known = {(change.address, each.path, each.item) for change in _all(before) for each in change.attribute_changes}
    news = []
    for change in (each for each in _all(after) if each.address not in drafts):
        new = [each for each in change.attribute_changes if (change.address, each.path, each.item) not in known]
        news += [replace(change, attribute_changes=tuple(new))] if new else []
    return news


def _all(found: Reconciliation) -> Sequence[Change]:
    return (*found.plan.changes, *found.plan.drift)


def _where(change: AttributeChange, rules: AttributeRules) -> Where:
    """The place in a draft that says what a change is about."""
    attribute = rules.table.by_path(change.path)
    if attribute is None:
        urn, _, name = change.path.rpartition(":")
        return urn, name
    element = element_of(change.path)
    if attribute.kind is Kind.KEYED and element is not None:
        return (attribute.name, *(each for each in element[1:] if each))
    if attribute.kind is Kind.COMPLEX and change.path != attribute.path:
        return attribute.name, change.path.removeprefix(f"{attribute.path}.")
    return (attribute.name, change.item) if change.item is not None else (attribute.name,)


def address_of(draft: Draft) -> Address:
    """The address of a draft."""
    return Address(ResourceType(draft.resource.resource_type), draft.key)
