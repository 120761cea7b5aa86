"""States in few words: what is declared, what the server holds, what the record says, and the plan of the three."""

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec.structs import replace

from reconciler.model import (
    Address,
    AppliedDates,
    AppliedItem,
    AppliedList,
    AppliedResource,
    AppliedState,
    Change,
    DesiredItem,
    DesiredList,
    DesiredResource,
    DesiredState,
    ItemKey,
    Lifecycle,
    Limit,
    ListMode,
    LiveResource,
    LiveState,
    Origin,
    Pending,
    Phase,
    Policy,
    ResourceType,
    SourceLocation,
    Value,
)
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.reconcile import Context, Reconciliation, reconcile
from reconciler.remembering import announce, conclude
from reconciler.scim.attributes import ENTERPRISE_USER, GROUP_ATTRIBUTES, USER_ATTRIBUTES, Attribute, Kind
from reconciler.scim.paths import level_path

TODAY = date(2026, 6, 15)
AUTHORITATIVE, ADDITIVE = ListMode.AUTHORITATIVE, ListMode.ADDITIVE
WORK = "urn:example:params:scim:schemas:extension:work:2.0:User"
MANAGER = f"{ENTERPRISE_USER}:manager"
NUMBER = f"{ENTERPRISE_USER}:employeeNumber"

SKILLS = Attribute(name="skills", kind=Kind.LEVELS, schema=WORK, key="name", value="level", access=True)
BADGES = Attribute(name="badges", kind=Kind.KEYED, schema=WORK, key="authority", parts=("value",))
HIRED = Attribute(name="hired", kind=Kind.DATE, schema=WORK)
PROFILE = Profile(
    name="test",
    title="Test provider",
    users=AttributeRules(table=USER_ATTRIBUTES.extended((SKILLS, BADGES, HIRED)), required=("userName",)),
    groups=AttributeRules(table=GROUP_ATTRIBUTES, required=("displayName",), case_insensitive=("displayName",)),
)
FREE = Limit(number=10**6)
OPEN = Policy(removals=FREE, member_removals=FREE, role_removals=FREE)
"""A policy that stops nothing."""


def a(text: str) -> Address:
    """``user.alice`` as an address."""
    return Address.parse(text)


def place(key: str) -> SourceLocation:
    return SourceLocation(f"identities/{key}.yaml", 3)


# --- desired


def items(*keys: ItemKey, levels: Mapping[str, float] | None = None, until: Mapping[ItemKey, date] | None = None):
    """List items; `levels` and `until` by key."""
    names: list[ItemKey] = [*keys, *(levels or {}), *(until or {})]
    return {
        key: DesiredItem(
            origin=Origin(None),
            level=(levels or {}).get(key) if isinstance(key, str) else None,
            until=(until or {}).get(key),
        )
        for key in dict.fromkeys(names)
    }


def listed(
    *keys: ItemKey,
    mode: ListMode = AUTHORITATIVE,
    levels: Mapping[str, float] | None = None,
    until: Mapping[ItemKey, date] | None = None,
    expired: Mapping[ItemKey, date] | None = None,
) -> DesiredList:
    return DesiredList(mode=mode, items=items(*keys, levels=levels, until=until), expired=expired or {})


def phase(starts: date | None, ends: date | None, delete_after: int | None, today: date) -> Phase:
    if starts is None and ends is None:
        return Phase.UNDATED
    if starts is not None and today < starts:
        return Phase.BEFORE
    if ends is not None and today > ends:
        over = delete_after is not None and (today - ends).days > delete_after
        return Phase.DELETION if over else Phase.AFTER
    return Phase.WITHIN


def lifecycle(
    active: bool | None = None,
    starts: date | None = None,
    ends: date | None = None,
    delete_after: int | None = None,
    today: date = TODAY,
) -> Lifecycle:
    return Lifecycle(
        active=active,
        starts_on=starts,
        ends_on=ends,
        delete_after=delete_after,
        phase=phase(starts, ends, delete_after, today),
    )


def user(
    key: str,
    attributes: Mapping[str, Value] | None = None,
    *,
    name: str | None = None,
    lists: Mapping[str, DesiredList] | None = None,
    here: Lifecycle | None = None,
    formerly: tuple[str, ...] = (),
) -> DesiredResource:
    """A declared user; its userName is ``<key>@x.io`` unless `name` says otherwise."""
    return DesiredResource(
        address=Address(ResourceType.USER, key),
        attributes={"userName": name or f"{key}@x.io", **(attributes or {})},
        lists=lists or {},
        lifecycle=here or Lifecycle(),
        formerly=formerly,
        source=place(key),
    )


def group(
    key: str,
    members: DesiredList | None = None,
    *,
    name: str | None = None,
    attributes: Mapping[str, Value] | None = None,
    formerly: tuple[str, ...] = (),
) -> DesiredResource:
    """A declared group; its displayName is its key unless `name` says otherwise."""
    return DesiredResource(
        address=Address(ResourceType.GROUP, key),
        attributes={"displayName": name or key, **(attributes or {})},
        lists={} if members is None else {"members": members},
        formerly=formerly,
        source=place(key),
    )


def desired(*resources: DesiredResource, released: Iterable[str] = (), today: date = TODAY) -> DesiredState:
    return DesiredState(
        resources={each.address: each for each in resources},
        released=frozenset(a(each) for each in released),
        today=today,
    )


# --- live


def live_user(
    live_id: str,
    name: str | None = None,
    attributes: Mapping[str, Value] | None = None,
    *,
    active: bool = True,
    roles: Iterable[str] = (),
    skills: Mapping[str, float] | None = None,
    not_read: Mapping[str, str] | None = None,
) -> LiveResource:
    """A live user; called ``<id>@x.io`` unless `name` says otherwise. Levels stand in both places, as decoded."""
    lists: dict[str, Mapping[str, float | None]] = {}
    if roles:
        lists["roles"] = dict.fromkeys(roles)
    if skills:
        lists["skills"] = dict(skills)
    levels = {level_path(SKILLS, item): level for item, level in (skills or {}).items()}
    return LiveResource(
        resource_type=ResourceType.USER,
        id=live_id,
        attributes={"userName": name or f"{live_id}@x.io", "active": active, **levels, **(attributes or {})},
        lists=lists,
        not_read=not_read or {},
        version=f'W/"{live_id}"',
    )


def live_group(
    live_id: str, name: str | None = None, members: Iterable[str] = (), *, not_read: Mapping[str, str] | None = None
) -> LiveResource:
    held = dict.fromkeys(members)
    return LiveResource(
        resource_type=ResourceType.GROUP,
        id=live_id,
        attributes={"displayName": name or live_id},
        lists={"members": held} if held else {},
        not_read=not_read or {},
        version=f'W/"{live_id}"',
    )


def live(*resources: LiveResource) -> LiveState:
    return LiveState(resources={each.id: each for each in resources})


# --- applied


def ours(*names: str, mode: ListMode | None = AUTHORITATIVE, until: Mapping[str, str] | None = None) -> AppliedList:
    claims = dict.fromkeys(names, AppliedItem()) | {name: AppliedItem(until=day) for name, day in (until or {}).items()}
    return AppliedList(mode=mode, items=claims)


def entry(
    address: str,
    live_id: str | None,
    values: Mapping[str, Value] | None = None,
    *,
    lists: Mapping[str, AppliedList] | None = None,
    dates: AppliedDates | None = None,
    pending: Pending | None = None,
    seen: bool = False,
) -> AppliedResource:
    """An entry of the record. A login or name that nobody spells out is the one the builders use."""
    return AppliedResource(
        address=a(address),
        live_id=live_id,
        source="c0",
        values=values or {},
        lists=lists or {},
        dates=dates or AppliedDates(),
        pending=pending or Pending(),
        seen=seen,
    )


def record(*entries: AppliedResource, whole: bool = True) -> AppliedState:
    return AppliedState(commit="c0", whole=whole, resources={each.address: each for each in entries}, exists=True)


NO_RECORD = AppliedState()


def give(name: str, *names: str) -> Pending:
    return Pending(give={name: dict.fromkeys(names, AppliedItem())})


def take(name: str, *names: str) -> Pending:
    return Pending(take={name: frozenset(names)})


# --- the plan


def reconciled(
    wanted: DesiredState,
    found: LiveState,
    applied: AppliedState = NO_RECORD,
    *,
    profile: Profile = PROFILE,
    policy: Policy = OPEN,
    drift: bool = False,
    correct: bool = False,
    accepted: Iterable[str] = (),
) -> Reconciliation:
    """The plan. `drift`: a person's run that also corrects; `correct`: the policy that corrects by itself."""
    context = Context(
        target="t", correct_drift=drift or correct, reactivate=drift, commit="c1", accepted=frozenset(accepted)
    )
    return reconcile(wanted, found, applied, profile, policy, context)


def said(outcome: Reconciliation) -> list[str]:
    """Every difference in one line, those that the plan leaves to others too: ``user.a replace title declared``."""
    for change in outcome.plan.drift:
        assert change.cause == "drift"
    return sorted(line for change in (*outcome.plan.changes, *outcome.plan.drift) for line in lines_of(change))


def lines_of(change: Change) -> list[str]:
    whole = [each for each in change.actions if each in ("create", "delete")]
    if whole:
        return [f"{change.address} {whole[0]} {change.cause}"]
    return [
        f"{change.address} {each.op} {short(each.path)}{f' {each.item}' if each.item is not None else ''} {each.cause}"
        for each in change.attribute_changes
    ]


def short(path: str) -> str:
    return path.rpartition(":")[2] if path.startswith("urn:") and "[" not in path else path


def notes_of(outcome: Reconciliation) -> list[str]:
    """The notes on single attribute changes."""
    changes = (*outcome.plan.changes, *outcome.plan.drift)
    return sorted(note for change in changes for each in change.attribute_changes for note in each.notes)


def codes(outcome: Reconciliation) -> list[str]:
    """The codes of what the plan refuses and of what it tells, without what it says of the record as a whole."""
    told = (*outcome.plan.refused, *outcome.plan.notices)
    return sorted(each.code for each in told if each.code != "no-record")


def without(resource: LiveResource, *paths: str) -> LiveResource:
    kept = {path: value for path, value in resource.attributes.items() if path not in paths}
    return replace(resource, attributes=kept)


# --- the record of a run


def announced(outcome: Reconciliation, commit: str = "c1") -> AppliedState:
    return announce(outcome.situation, outcome.plan.changes, commit)


def concluded(
    wanted: DesiredState,
    before: LiveState,
    after: LiveState,
    applied: AppliedState = NO_RECORD,
    *,
    created: Mapping[str, str] | None = None,
    **options,
) -> AppliedState:
    """The record after a run that found `before` and left `after`; `created` says which creates were answered."""
    outcome = reconciled(wanted, before, applied, **options)
    state = announced(outcome)
    ids = {a(key): live_id for key, live_id in (created or {}).items()}
    entries = {key: replace(each, live_id=ids.get(key, each.live_id)) for key, each in state.resources.items()}
    again = reconciled(wanted, after, replace(state, resources=entries), **options)
    return conclude(again.situation.applied, again.situation, again.plan.drift, ids)
