"""One plan for each thing that a plan may say; every output format shows all of them."""

from msgspec.structs import replace

from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    AttributeChange,
    Cause,
    Change,
    Diagnostic,
    PatchOp,
    Plan,
    Severity,
    SourceLocation,
    Violation,
    known_after_apply,
)
from tests.rendering import rendered_plans as plans
from tests.rendering.rendered_plans import added, at, change, changed, drifted, gone, group, user


def of(*changes: Change, **more) -> Plan:
    return replace(plans.QUIET, changes=changes, requests=len(changes), requests_per_minute=300, **more)


def role(name: str, *, privileged: bool = False) -> AccessItem:
    return AccessItem(kind=AccessKind.ROLE, attribute="roles", name=name, privileged=privileged)


LEAVERS = of(
    *(
        change(
            user(f"leaver.{number:02}"),
            changed("active", True, False),
            gone("roles", None, "Agent"),
            actions=(Action.DEACTIVATE,),
            reason="removed from identities/leeds.yaml",
            label=f"Leaver {number}",
            live_id=str(number),
        )
        for number in range(30)
    ),
    change(user("long.gone"), actions=(Action.DELETE,), cause=Cause.DUE, reason="deleteAfter 30 days have passed"),
    commit="07f69fb2c1a94d1f8d5e1c1f8e2b7a6d5c4b3a29",
    tool_version="0.1.0",
)

STOPPED = replace(
    LEAVERS,
    violations=(
        Violation(
            rule="removals",
            summary="31 of 58 people would be removed; at most 3 may (5%, or 3 if that is more)",
            actual=31,
            limit=3,
            items=tuple(str(each.address) for each in LEAVERS.changes),
            digest="3f2a9c41",
            mend="split the change, or raise policy.limits.removals (reconciler.yaml:21) in a reviewed change",
        ),
        Violation(
            rule="protect",
            summary="something would be taken from those whom policy.protect names",
            actual=1,
            limit=0,
            items=("user.leaver.07 deactivated",),
            digest="",
            mend="leave it out, or take the line out of policy.protect (reconciler.yaml:30) in a change of its own",
        ),
    ),
)

PRIVILEGED = of(
    change(
        user("dan.o"),
        added("roles", None, "Master Admin"),
        source=at(9),
        label="Dan Ojo",
        warnings=("gets the privileged role Master Admin",),
    ),
    change(
        user("eva.p"), changed("active", False, True), actions=(Action.REACTIVATE,), source=at(30), label="Eva Popa"
    ),
    change(user("fay.q"), gone("roles", None, "Supervisor"), kept={"roles": 1}, source=at(31), label="Fay Quist"),
    change(user("gus.r"), changed("title", "Agent", "Lead"), source=at(32), label="Gus Roy"),
    access=(
        AccessChange(person="d", name="dan.o", label="Dan Ojo", gains=(role("Master Admin", privileged=True),)),
        AccessChange(person="e", name="eva.p", label="Eva Popa", gains=(role("Agent"),), starts=True),
        AccessChange(person="f", name="fay.q", label="Fay Quist", loses=(role("Supervisor"),)),
    ),
)

NEWCOMERS = of(
    plans.ALICE,
    change(
        user("li.wei"),
        added("userName", "li.wei@example.com"),
        added("displayName", "李伟"),
        added(f"{plans.ENTERPRISE}:department", "Billing"),
        actions=(Action.CREATE,),
        source=SourceLocation("identities/leeds/billing.yaml", 47),
        label="李伟",
    ),
    change(group("night"), added("displayName", "Night shift"), actions=(Action.CREATE,), source=at(3)),
    names=plans.SAMPLE.names,
)

RENAMED = of(
    change(
        user("maria.g"),
        changed("userName", "maria.f@example.com", "maria.g@example.com"),
        actions=(Action.RENAME,),
        source=at(12),
        label="Maria Garcia",
    ),
    change(
        group("north"),
        changed("displayName", "North", "North and east"),
        actions=(Action.RENAME, Action.UPDATE),
        source=at(8, "identities/groups.yaml"),
    ),
)

MEMBERSHIPS = of(
    change(
        group("support-emea"),
        *(added("members", None, f"come-{number:02}") for number in range(12)),
        *(gone("members", None, f"go-{number}") for number in range(3)),
        kept={"members": 1_200},
        source=at(3, "identities/groups.yaml"),
        label="Support EMEA",
    ),
    change(group("nested"), added("members", None, known_after_apply(group("tier-2")), until="2031-12-31")),
    names={
        **{f"come-{number:02}": (f"new.{number:02}", f"New {number}") for number in range(12)},
        **{f"go-{number}": (f"old.{number}", f"Old {number}") for number in range(3)},
        known_after_apply(group("tier-2")): ("tier-2", "Tier 2"),
    },
)

CAUSES = of(
    change(
        group("rota"),
        AttributeChange(path="members", op=PatchOp.REMOVE, cause=Cause.DUE, item="a", until="2026-12-31"),
        AttributeChange(path="members", op=PatchOp.ADD, cause=Cause.LEFTOVER, item="b"),
        cause=Cause.DUE,
        source=at(5, "identities/groups.yaml"),
    ),
    replace(
        change(user("tom.k"), replace(changed("title", "Agent", "Coach"), cause=Cause.LEFTOVER), source=at(51)),
        cause=Cause.LEFTOVER,
    ),
    change(user("una.v"), changed("title", "Agent", "Coach"), source=at(52)),
    drifted(change(user("put.right"), changed("title", "Agent", "Lead"), source=at(60))),
    names={"a": ("ann.lee", "Ann Lee"), "b": ("bob.li", "Bob Li")},
)

DRIFT_ONLY = replace(plans.QUIET, drift=plans.EDGES.drift, names=plans.EDGES.names)

REFUSED = replace(
    plans.QUIET,
    refused=(
        *plans.EDGES.refused,
        *(
            Diagnostic(
                severity=Severity.ERROR,
                code="frozen",
                summary="may be one of several accounts",
                mend="delete or rename one of them",
                address=user(f"twin.{number}"),
                source=at(80 + number),
            )
            for number in range(4)
        ),
    ),
    notices=plans.EDGES.notices,
)

PLANS = {
    "sample": plans.SAMPLE,
    "edges": plans.EDGES,
    "quiet": plans.QUIET,
    "wide": plans.WIDE,
    "leavers": LEAVERS,
    "stopped": STOPPED,
    "privileged": PRIVILEGED,
    "newcomers": NEWCOMERS,
    "renamed": RENAMED,
    "memberships": MEMBERSHIPS,
    "causes": CAUSES,
    "drift": DRIFT_ONLY,
    "refused": REFUSED,
}

DEPARTMENTS = ("Billing", "Bookings", "Chat")
FILES = tuple(f"identities/{site}/{team}.yaml" for site in ("leeds", "berlin", "manila") for team in ("a", "b"))


def big(count: int) -> Plan:
    """So many changes of every kind, of which many are alike and many are not."""
    return of(*(_one_of_many(number) for number in range(count)), names=plans.SAMPLE.names, drift=plans.EDGES.drift)


def _one_of_many(number: int) -> Change:
    address, source = user(f"agent.{number:04}"), at(number % 200 + 1, FILES[number % len(FILES)])
    more = {"source": source, "label": f"Agent Number {number}"}
    match number % 10:
        case 0:
            more |= {"actions": (Action.DEACTIVATE,), "reason": f"removed from {source.path}", "source": None}
            return change(address, changed("active", True, False), gone("roles", None, "Agent"), **more)
        case 1 | 2 | 3:
            return change(
                address,
                added("userName", f"agent.{number}@example.com"),
                added("displayName", f"Agent Number {number}"),
                added(f"{plans.ENTERPRISE}:department", DEPARTMENTS[number % 3]),
                added("roles", None, "Agent"),
                added(plans.SKILLS, number % 5 + 1, "Billing"),
                actions=(Action.CREATE,),
                **more,
            )
        case 4:
            return change(group(f"team-{number:04}"), added("members", None, "b0b"), kept={"members": 9}, source=source)
        case 5:
            return change(address, added(plans.SKILLS, 3, "Quality", origin=plans.TEMPLATE), **more)
        case _:
            return change(address, changed("title", f"Agent {number}", f"Adviser {number}"), **more)
