"""Several targets of one organisation: whoever leaves the lines of one and is declared for another is not removed.

Each target has a record of its own, so one of them knows nothing of whom another declares. That two targets have the
same URL says little: a service provider may tell its organisations apart by the credential. That an account which the
record of the one holds is live at the other, by its id and its name, says that they are one organisation.
Reads records and declarations of other targets, and only where somebody is about to be removed.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from reconciler import __version__
from reconciler.declarations.declared import fold
from reconciler.errors import InputError, ReconcilerError
from reconciler.model import (
    Address,
    AppliedState,
    DesiredState,
    Diagnostic,
    LiveResource,
    LiveState,
    ResourceType,
    Severity,
)
from reconciler.project import Project
from reconciler.recording import record_of
from reconciler.scim.attributes import name_path
from reconciler.settings import Target


class Leaving(Struct, frozen=True, kw_only=True):
    """Those of a target's record that its declarations name no more, by address, with the account that each has."""

    accounts: Mapping[Address, LiveResource]

    @classmethod
    def of(cls, desired: DesiredState, applied: AppliedState, live: LiveState) -> "Leaving":
        """Nobody who is released or declared here under another key, and nobody whose account is gone."""
        settled = {each.folded for each in (*desired.resources, *desired.released)} | _names(desired)
        settled |= {
            (each.resource_type, fold(earlier))
            for each, wanted in desired.resources.items()
            for earlier in wanted.formerly
        }
        accounts = {
            address: account
            for address, entry in applied.resources.items()
            if (account := live.resources.get(entry.live_id or "")) and not entry.seen
            if settled.isdisjoint((address.folded, (address.resource_type, fold(account.name))))
        }
        return cls(accounts=accounts)

    def declared_in(self, desired: DesiredState) -> list[Address]:
        """Whose accounts are meant by declarations of another target, whatever their key is there."""
        names = _names(desired)
        return [
            address
            for address, account in self.accounts.items()
            if (address.resource_type, fold(account.name)) in names
        ]


def _names(desired: DesiredState) -> set[tuple[ResourceType, str]]:
    return {
        (each.resource_type, fold(str(wanted.attributes.get(name_path(each.resource_type)))))
        for each, wanted in desired.resources.items()
    }


def without_shared(
    project: Project, target: Target, desired: DesiredState, applied: AppliedState, live: LiveState, today: date | None
) -> DesiredState:
    """The desired state with those released whom another target of the organisation declares; each is named.

    InputError, RecordTrouble where the declarations or the record of such a target cannot be read: then nobody knows.
    """
    for other in _others(project, target):
        leaving = Leaving.of(desired, applied, live)
        if not leaving.accounts:
            break
        unread: ReconcilerError | None = None
        try:
            theirs = leaving.declared_in(project.desired(other, today)[0])
        except InputError as error:
            theirs, unread = list(leaving.accounts), error
        if not theirs:
            continue
        loaded = record_of(project, other, __version__).load()
        same = _same_organisation(loaded.applied, live)
        if not same and loaded.applied.resources:
            continue
        unread = unread or (loaded.trouble if not same else None)
        if unread is not None:
            raise unread
        said = [_said(address, leaving.accounts[address], other, same=same) for address in theirs]
        released = desired.released | frozenset(theirs) if same else desired.released
        desired = replace(desired, released=released, diagnostics=(*desired.diagnostics, *said))
    return desired


def _others(project: Project, target: Target) -> Iterator[Target]:
    for name, each in project.settings.targets.items():
        if name != target.name and each.url == target.url and not target.embedded:
            yield project.target(name)


def _same_organisation(recorded: AppliedState, live: LiveState) -> bool:
    """Whether an account of the other record is live here: by its id, and by the name that it was given."""
    for address, entry in recorded.resources.items():
        found = live.resources.get(entry.live_id or "")
        name = entry.values.get(name_path(address.resource_type))
        if found is not None and found.resource_type is address.resource_type and fold(str(name)) == fold(found.name):
            return True
    return False


def _said(address: Address, account: LiveResource, other: Target, *, same: bool) -> Diagnostic:
    if same:
        return Diagnostic(
            severity=Severity.WARNING,
            code="declared-elsewhere",
            summary=f"target {other.name} is the same organisation and declares {account.name}: let go, not removed",
            mend=f"nothing to do; what that account holds is from now on the business of {other.name}",
            address=address,
        )
    return Diagnostic(
        severity=Severity.WARNING,
        code="may-be-declared-elsewhere",
        summary=f"target {other.name} has the same url, was never applied, and declares {account.name}",
        mend=f"if both are one organisation, apply {other.name} first: then the account is let go of here, not removed",
        address=address,
    )
