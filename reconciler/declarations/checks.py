"""Every problem that shows only when declarations are seen together, or beside a target's profile: all in one run.

The day does not matter here: a problem that is there on one day is there on every day.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from reconciler.declarations.declared import Declarations, view_of
from reconciler.declarations.identity_checks import (
    check_formerly,
    check_keys,
    check_released,
    check_same_person,
    check_targets,
)
from reconciler.declarations.loading import in_order
from reconciler.declarations.profile_checks import check_amounts, check_dates, check_required, check_without
from reconciler.declarations.reference_checks import check_managers, check_nesting
from reconciler.declarations.reporting import Reporter
from reconciler.declarations.resolution import resolution
from reconciler.model import Diagnostic
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
    known = set(known_targets if known_targets is not None else (target.name for target, _ in targets))
    for folders in dict.fromkeys(target.identities for target, _ in targets) or [declarations.folders]:
        view = view_of(declarations, folders)
        check_keys(view, report)
        check_released(view, report)
        if known:
            check_targets(view, known, report)
    for target, profile in targets:
        found = resolution(view_of(declarations, target.identities), target, profile, report, _SOME_DAY)
        for check in _PER_TARGET:
            check(found, report)
    return in_order(tuple(report.diagnostics))
