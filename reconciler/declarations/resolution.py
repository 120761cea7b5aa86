"""Declarations + target + day -> DesiredState. Pure: templates, overrides, rules and dates are worked out here.

Call `resolve` only for declarations in which the checks found no error: what is wrong is left out here in silence.
"""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from reconciler.declarations.compiling import Compiler
from reconciler.declarations.declared import Declarations, View, fold, view_of
from reconciler.declarations.membership import groups_of
from reconciler.declarations.people import Clock, Index, Person, desired_user, people_of, shown_names
from reconciler.declarations.reporting import Reporter
from reconciler.memory import no_collection
from reconciler.model import Address, DesiredResource, DesiredState, Diagnostic, ResourceType, Severity, SourceLocation
from reconciler.profiles.profile import Profile
from reconciler.settings import Target


class Resolution(Struct, frozen=True, kw_only=True):
    """Everything about one target on one day, for the checks."""

    compiler: Compiler
    today: date
    people: Mapping[Address, Person]
    users: Mapping[Address, DesiredResource]
    groups: Mapping[Address, DesiredResource]


def resolve(
    declarations: Declarations,
    target: Target,
    profile: Profile,
    today: date,
    today_in: Clock | None = None,
) -> DesiredState:
    """What the declarations want of one target on one day.

    `today` is the day in the target's time zone; `today_in` gives the day in another zone, for users who have a
    `timeZone` of their own (without it `today` counts for them too). Members and managers who are declared, but not
    for this target, are left out and counted in `diagnostics`.
    """
    view = view_of(declarations, target.identities)
    return desired_state(resolution(view, target, profile, Reporter(), today, today_in), declarations)


def resolution(
    view: View, target: Target, profile: Profile, report: Reporter, today: date, today_in: Clock | None = None
) -> Resolution:
    """All users and groups of one target; what cannot be worked out goes to `report`."""
    compiler = Compiler(view, target, profile, report)
    with no_collection():
        people = people_of(compiler)
        modes = {**profile.users.modes, **target.modes}
        users = {address: desired_user(person, modes, today, today_in) for address, person in people.items()}
        groups = groups_of(compiler, people, Index(people, users), today)
    return Resolution(compiler=compiler, today=today, people=people, users=users, groups=groups)


def desired_state(found: Resolution, declarations: Declarations) -> DesiredState:
    """What was worked out, as desired state."""
    view = found.compiler.view
    return DesiredState(
        resources={**found.users, **found.groups},
        released=frozenset(_spelled(each.address, view) for each in view.released),
        today=found.today,
        files=declarations.files,
        diagnostics=_left_out(found.compiler),
    )


def _spelled(address: Address, view: View) -> Address:
    """A released address; keys compare without case."""
    of_groups = address.resource_type is ResourceType.GROUP
    entry = view.group(address.key) if of_groups else view.people.get(fold(address.key))
    return Address(address.resource_type, entry.key) if entry is not None else address


def _left_out(compiler: Compiler) -> tuple[Diagnostic, ...]:
    by_owner: dict[Address | None, list[str]] = {}
    places: dict[Address | None, SourceLocation] = {}
    for (owner, source), names in compiler.references.left_out.items():
        by_owner.setdefault(owner, []).extend(names)
        places.setdefault(owner, source)
    return tuple(
        Diagnostic(
            severity=Severity.NOTICE,
            code="not-for-target",
            summary=f'left out, as not for target "{compiler.target.name}": ' + shown_names(list(dict.fromkeys(names))),
            detail="Their own `targets` leave this target out.",
            address=owner,
            source=places[owner],
        )
        for owner, names in by_owner.items()
    )
