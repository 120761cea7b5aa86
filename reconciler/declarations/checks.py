"""Every problem that shows only when declarations are seen together, or beside a target's profile: all in one run.

The day does not matter here: a problem that is there on one day is there on every day.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from reconciler.declarations.coming import coming_days
from reconciler.declarations.compiling import Compiler
from reconciler.declarations.declared import Declarations, View, view_of
from reconciler.declarations.identity_checks import (
    check_formerly,
    check_keys,
    check_released,
    check_same_person,
    check_targets,
)
from reconciler.declarations.loading import in_order
from reconciler.declarations.people import Clock
from reconciler.declarations.profile_checks import (
    check_amounts,
    check_dates,
    check_removals,
    check_renames,
    check_required,
    check_without,
)
from reconciler.declarations.reference_checks import check_managers, check_nesting
from reconciler.declarations.reporting import Reporter
from reconciler.declarations.resolution import Resolution, desired_state, resolution
from reconciler.model import DesiredState, Diagnostic, SourceLocation
from reconciler.profiles.profile import Profile
from reconciler.settings import Target

_SOME_DAY: Final = date.min

_PER_TARGET: Final = (
    check_same_person,
    check_formerly,
    check_managers,
    check_nesting,
    check_required,
    check_dates,
    check_amounts,
    check_renames,
    check_removals,
    check_without,
)


def check_declarations(
    declarations: Declarations,
    targets: Sequence[tuple[Target, Profile]],
    *,
    known_targets: Collection[str] | None = None,
) -> tuple[Diagnostic, ...]:
    """Every problem beyond `declarations.diagnostics`, each once, by place.

    `targets`: those to check for, usually all of the settings. `known_targets`: the names that ``targets:`` and
    ``overrides:`` may use, if that is more than those.
    """
    report = Reporter()
    names = known_targets if known_targets is not None else [target.name for target, _ in targets]
    folders = dict.fromkeys(target.identities for target, _ in targets) or {declarations.folders: None}
    views = {each: view_of(declarations, each) for each in folders}
    for view in views.values():
        _check_view(view, names, report)
    by_view: dict[tuple[str, ...], list[Resolution]] = {}
    for target, profile in targets:
        found = resolution(views[target.identities], target, profile, report, _SOME_DAY)
        _check_resolution(found, report)
        by_view.setdefault(target.identities, []).append(found)
    for folders_read, resolutions in by_view.items():
        _check_unused_templates(views[folders_read], resolutions, report)
    return in_order(tuple(report.diagnostics))


def check_and_resolve(
    declarations: Declarations,
    target: Target,
    profile: Profile,
    today: date,
    today_in: Clock | None = None,
    *,
    known_targets: Collection[str],
) -> tuple[tuple[Diagnostic, ...], DesiredState]:
    """`check_declarations` and `resolve` for one target, without working everybody out twice.

    The state is of no use if one of the diagnostics is an error.
    """
    report = Reporter()
    view = view_of(declarations, target.identities)
    _check_view(view, known_targets, report)
    found = resolution(view, target, profile, report, today, today_in)
    state = desired_state(found, declarations)
    state = replace(state, diagnostics=(*state.diagnostics, *coming_days(found)))
    _check_resolution(found, report)
    _check_unused_templates(view, [found], report)
    return in_order(tuple(report.diagnostics)), state


def _check_view(view: View, known_targets: Collection[str], report: Reporter) -> None:
    check_keys(view, report)
    check_released(view, report)
    if known_targets:
        check_targets(view, set(known_targets), report)


def _check_resolution(found: Resolution, report: Reporter) -> None:
    for check in _PER_TARGET:
        check(found, report)


def _check_unused_templates(view: View, resolutions: Sequence[Resolution], report: Reporter) -> None:
    """A template that nobody has yet is wrong only if it is so for every target: nobody knows whose it will be."""
    used = {name for found in resolutions for person in found.people.values() for name in person.templates}
    for key, template in view.templates.items():
        if key in used:
            continue
        wrong: list[dict[tuple[str, SourceLocation | None], Diagnostic]] = []
        for found in resolutions:
            apart = Reporter()
            Compiler(view, found.compiler.target, found.compiler.profile, apart).template(template)
            wrong.append({(each.code, each.source): each for each in apart.diagnostics})
        for place, diagnostic in wrong[0].items():
            if all(place in each for each in wrong):
                report.add(diagnostic)
