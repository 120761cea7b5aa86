"""The front door of the pure core, and the only place that composes its stages.

``desired + live + applied -> settle -> match -> diff -> plan -> check policy -> Plan``. No files, network, clock or
random numbers come in here: the day is in the desired state, the rest are values.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.accepting import not_accepted
from reconciler.access import effective_access
from reconciler.diffing.findings import Finding, awaited, change_of
from reconciler.diffing.leaving import not_proved
from reconciler.diffing.resources import diff_resources
from reconciler.matching import match_resources
from reconciler.model import (
    SAMPLE,
    Action,
    AppliedState,
    AttributeChange,
    Cause,
    Change,
    DeleteResource,
    DesiredState,
    Diagnostic,
    LiveState,
    Operation,
    Paired,
    Plan,
    Policy,
    ResourceType,
    Severity,
    SourceLocation,
    Standing,
    Violation,
)
from reconciler.planning.ordering import name_swaps, order_operations
from reconciler.planning.possible import without_impossible, without_taken_names
from reconciler.policy import check_policy, nobody_named
from reconciler.privileges import warned
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.settling import settle
from reconciler.situation import Situation, names_of


class Reconciliation(Struct, frozen=True, kw_only=True):
    """A plan, and what it was made from: an apply needs both to remember what it did."""

    plan: Plan
    situation: Situation
    context: "Context"

    @property
    def broken(self) -> tuple[Violation, ...]:
        """The rules about what is declared that the changes break, lifted or not."""
        return check_policy(self.plan.changes, self.situation)

    @property
    def violations_as_planned(self) -> tuple[Violation, ...]:
        """What `plan` says of these changes: nothing about a checkout or a record, and nobody accepts for one run."""
        return not_accepted(self.broken, (), self.context.reviewed)[0]


class Context(Struct, frozen=True, kw_only=True):
    """What a plan carries for its readers and what only the surroundings know.

    `correct_drift`: act on drift too; `reactivate`: also where that gives an account back (a person's own run).
    `violations`: rules that look at git (`behind`, `dirty`). `accepted`: ``RULE@DIGEST`` that who
    starts the run accepts; `reviewed`: those that a reviewed line accepts, and its place.
    `stood`: how git shows that addresses were declared once (`proving`); None: the record is not in git.
    """

    target: str
    correct_drift: bool = False
    reactivate: bool = False
    violations: tuple[Violation, ...] = ()
    accepted: frozenset[str] = frozenset()
    reviewed: Mapping[str, SourceLocation] = field(default_factory=dict)
    notices: tuple[Diagnostic, ...] = ()
    commit: str | None = None
    tool_version: str = ""
    stood: Mapping[tuple[ResourceType, str], Standing] | None = None


def reconcile(
    desired: DesiredState,
    live: LiveState,
    applied: AppliedState,
    profile: Profile,
    policy: Policy,
    context: Context,
) -> Reconciliation:
    """Compare desired, live and applied state, and say what an apply would do."""
    settled = settle(applied, live, profile)
    matches = match_resources(desired, live, settled, profile, context.stood)
    situation = Situation(
        desired=desired,
        live=live,
        applied=settled,
        matches=matches,
        profile=profile,
        policy=policy,
        stood=context.stood,
    )
    unproved = not_proved(situation)
    frozen = matches.frozen | {live_id for live_id, _ in unproved}
    situation = replace(situation, matches=replace(matches, frozen=frozen))
    differences = diff_resources(situation)
    changes, drift = _divided(differences.findings, context, profile)
    changes, impossible = without_impossible(changes, profile)
    changes, swaps = _without_swaps(changes, profile)
    changes, taken = without_taken_names(changes, live, profile)
    changes = warned(changes, situation)
    violations, unused = _violations(changes, situation, context)
    plan = Plan(
        target=context.target,
        profile=profile.name,
        changes=changes,
        drift=drift,
        violations=violations,
        refused=(*(why for _, why in unproved), *differences.refused, *impossible, *swaps, *taken),
        notices=(
            *context.notices,
            *_about_record(applied, context.notices),
            *desired.diagnostics,
            *live.notices,
            *differences.notices,
            *nobody_named(situation),
            *unused,
        ),
        names=_names((*changes, *drift), situation),
        matched=_matched(situation),
        unmanaged=_unmanaged(situation),
        requests_per_minute=profile.wire.requests_per_minute,
        commit=context.commit,
        tool_version=context.tool_version,
    )
    return Reconciliation(plan=_with_consequences(plan, situation), situation=situation, context=context)


def narrowed(reconciliation: Reconciliation, changes: Sequence[Change]) -> Reconciliation:
    """The same with some of its changes only, or parts of them: their operations, what they break, who loses what."""
    situation, context = reconciliation.situation, reconciliation.context
    left = warned(changes, situation)
    violations, _ = _violations(left, situation, context)
    plan = replace(reconciliation.plan, changes=left, violations=violations)
    return replace(reconciliation, plan=_with_consequences(plan, situation))


def _violations(
    changes: Sequence[Change], situation: Situation, context: Context
) -> tuple[tuple[Violation, ...], list[Diagnostic]]:
    broken = (*context.violations, *check_policy(changes, situation))
    return not_accepted(broken, context.accepted, context.reviewed)


def _with_consequences(plan: Plan, situation: Situation) -> Plan:
    """The plan with what follows from its changes."""
    operations = order_operations(plan.changes, situation.live, situation.profile)
    return replace(
        plan,
        operations=operations,
        requests=_requests(operations, situation.live, situation.profile),
        access=effective_access(plan.changes, situation),
    )


def _divided(
    findings: Iterable[Finding], context: Context, profile: Profile
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What this run acts on, and what it only shows."""
    changes: list[Change] = []
    drift: list[Change] = []
    for finding in findings:
        rules = profile.rules(finding.address.resource_type)
        # only drift needs a second look, and most of a plan is none
        acted = [
            each.cause is not Cause.DRIFT or _corrects(context, gives_back=_gives_back(each, rules))
            for each in finding.changes
        ]
        creates = finding.whole is not None and finding.whole[0] is Action.CREATE
        declared = finding.whole is None or finding.whole[1] is not Cause.DRIFT
        whole = declared or _corrects(context, gives_back=creates)
        planned = change_of(
            finding, [each for each, yes in zip(finding.changes, acted, strict=True) if yes], whole=whole
        )
        left = [each for each, yes in zip(finding.changes, acted, strict=True) if not yes]
        shown = change_of(finding, left, whole=not whole)
        changes += [planned] if planned is not None else []
        drift += [shown] if shown is not None else []
    return tuple(changes), tuple(drift)


def _corrects(context: Context, *, gives_back: bool) -> bool:
    return context.correct_drift and (context.reactivate or not gives_back)


def _gives_back(change: AttributeChange, rules: AttributeRules) -> bool:
    """Whether acting on it brings an account back, or refers to one that would have to come back first."""
    return awaited(change, rules) is not None or (change.path == "active" and change.after is True)


def _without_swaps(changes: Sequence[Change], profile: Profile) -> tuple[tuple[Change, ...], list[Diagnostic]]:
    """People who take each other's logins cannot be served one request at a time."""
    refused: list[Diagnostic] = []
    circular = set()
    for circle in name_swaps(changes, profile):
        circular |= {each.address for each in circle}
        names = ", ".join(str(each.address) for each in circle)
        refused += [
            Diagnostic(
                severity=Severity.ERROR,
                code="names-swapped",
                summary=f"these take each other's names: {names}",
                mend="give one of them a name nobody has, apply, then write the final names",
                address=each.address,
                source=each.source,
            )
            for each in circle
        ]
    return tuple(each for each in changes if each.address not in circular), refused


def _about_record(applied: AppliedState, said: Iterable[Diagnostic]) -> list[Diagnostic]:
    if applied.whole or any(each.code == "record-unusable" for each in said):
        return []
    what = "no earlier apply is on record" if not applied.exists else "no apply that reached its end is on record"
    return [
        Diagnostic(
            severity=Severity.NOTICE,
            code="no-record",
            summary=f"{what}: nothing undeclared is removed, and what others changed cannot be told from new lines",
            mend="nothing to do; the next apply that reaches its end puts that right",
        )
    ]


def _names(changes: Iterable[Change], situation: Situation) -> dict[str, tuple[str, str]]:
    """Key (or login) and display name of every id that the changes mention."""
    mentioned: set[str] = set()
    for change in changes:
        references = situation.profile.rules(change.address.resource_type).table.references
        for each in change.attribute_changes:
            if each.path in references:
                mentioned.update(value for value in (each.item, each.before, each.after) if isinstance(value, str))
    return names_of(mentioned, situation)


def _matched(situation: Situation) -> dict[ResourceType, int]:
    paired = [address for address, match in situation.matches.by_address.items() if isinstance(match, Paired)]
    return {each: sum(1 for address in paired if address.resource_type is each) for each in ResourceType}


def _unmanaged(situation: Situation) -> int:
    ours = {entry.live_id for entry in situation.applied.resources.values()}
    known = ours | situation.matches.address_of.keys() | situation.matches.frozen
    return sum(1 for live_id in situation.live.resources if live_id not in known)


def _requests(operations: Sequence[Operation], live: LiveState, profile: Profile) -> int:
    """Requests of an apply: the writes, a look before each deletion and after each group change, one listing after.

    And a look for each who was deleted, as for everybody whom no listing shows.
    """
    if not operations:
        return 0
    deletions = sum(isinstance(each, DeleteResource) for each in operations)
    kept = [each.address for each in operations if not isinstance(each, DeleteResource)]
    looks = sum(each.resource_type is ResourceType.GROUP for each in kept) + deletions + min(deletions, SAMPLE)
    page = profile.wire.page_size or 100
    listing = sum(-(-len(live.of(each)) // page) or 1 for each in ResourceType)
    return len(operations) + looks + listing
