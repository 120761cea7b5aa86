"""Plans put together by hand: one that a reviewer would meet, and the edges."""

from msgspec.structs import replace

from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    Diagnostic,
    Origin,
    PatchOp,
    Plan,
    ResourceType,
    Severity,
    SourceLocation,
    Violation,
    known_after_apply,
)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GENESYS = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
SKILLS = f"{GENESYS}:routingSkills"
SUPPORT = "identities/emea/support.yaml"


def user(key: str) -> Address:
    return Address(ResourceType.USER, key)


def group(key: str) -> Address:
    return Address(ResourceType.GROUP, key)


def at(line: int, path: str = SUPPORT) -> SourceLocation:
    return SourceLocation(path, line, 3)


def added(path: str, after, item: str | None = None, **more) -> AttributeChange:
    return AttributeChange(path=path, op=PatchOp.ADD, cause=Cause.DECLARED, after=after, item=item, **more)


def gone(path: str, before, item: str | None = None, **more) -> AttributeChange:
    return AttributeChange(path=path, op=PatchOp.REMOVE, cause=Cause.DECLARED, before=before, item=item, **more)


def changed(path: str, before, after, **more) -> AttributeChange:
    return AttributeChange(path=path, op=PatchOp.REPLACE, cause=Cause.DECLARED, before=before, after=after, **more)


def change(address: Address, *attribute_changes: AttributeChange, actions=(Action.UPDATE,), **more) -> Change:
    more.setdefault("cause", Cause.DECLARED)
    more.setdefault("label", address.key)
    return Change(address=address, actions=actions, attribute_changes=attribute_changes, **more)


TEMPLATE = Origin(at(4, "identities/templates.yaml"), "template agent")
ADVISERS = ["amy.b", "ben.c", "cem.d", *(f"agent.{number:03}" for number in range(284))]

ZED = change(
    user("zed.k"),
    changed("active", True, False),
    actions=(Action.DEACTIVATE,),
    reason=f"removed from {SUPPORT}",
    live_id="77",
)
SUPPORT_EMEA = change(
    group("support-emea"),
    added("members", None, known_after_apply(user("alice.ng"))),
    gone("members", None, "4f1c9a20-1111-4e1e-9a3b-0c5f7a1d2e3f"),
    kept={"members": 39},
    source=at(3, "identities/emea/groups.yaml"),
)
ALICE = change(
    user("alice.ng"),
    added("displayName", "Alice Ng"),
    added("userName", "alice.ng@example.com"),
    added("title", "Senior Agent"),
    added(f"{ENTERPRISE}:department", "Support"),
    added(f"{ENTERPRISE}:manager", "b0b"),
    added('emails[type eq "work"].value', "a.ng@contact.example.com"),
    added('phoneNumbers[type eq "work"].value', "+442079460958;ext=12"),
    added('phoneNumbers[type eq "mobile"].value', "+447700900123"),
    added("roles", None, "Agent"),
    added(SKILLS, 4, "Billing"),
    added(SKILLS, 3.5, "Refunds"),
    actions=(Action.CREATE,),
    source=at(14),
)
QUALITY = [
    change(
        user(key),
        added(SKILLS, 3, "Quality", origin=TEMPLATE),
        kept={"routingSkills": index % 4},
        source=at(20 + index),
    )
    for index, key in enumerate(ADVISERS)
]
BOB = change(user("bob.li"), changed("title", "Agent", "Lead"), cause=Cause.DRIFT, source=at(40))

EMEA = (AccessItem(kind=AccessKind.GROUP, attribute="members", name="Support EMEA"),)
SAMPLE = Plan(
    target="sandbox",
    profile="genesys",
    changes=(*QUALITY, ALICE, SUPPORT_EMEA, ZED),
    drift=(BOB,),
    names={
        "4f1c9a20-1111-4e1e-9a3b-0c5f7a1d2e3f": ("carl.m", "Carl Mora"),
        "b0b": ("bob.li", "Bob Li"),
        known_after_apply(user("alice.ng")): ("alice.ng", "Alice Ng"),
    },
    matched={ResourceType.USER: 290, ResourceType.GROUP: 12},
    unmanaged=3,
    requests=291,
    requests_per_minute=300,
    access=(
        AccessChange(
            person=known_after_apply(user("alice.ng")), name="alice.ng", label="Alice Ng", gains=EMEA, starts=True
        ),
        AccessChange(person="4f1c9a20-1111-4e1e-9a3b-0c5f7a1d2e3f", name="carl.m", label="Carl Mora", loses=EMEA),
        AccessChange(person="zed", name="zed.k", label="Zed Kaya", loses=EMEA, ends=True),
    ),
)

QUIET = Plan(
    target="sandbox",
    profile="genesys",
    changes=(),
    matched={ResourceType.USER: 58, ResourceType.GROUP: 12},
    unmanaged=3,
)


def drifted(change_: Change) -> Change:
    """The same, brought about by other hands."""
    inner = tuple(replace(each, cause=Cause.DRIFT) for each in change_.attribute_changes)
    return replace(change_, cause=Cause.DRIFT, attribute_changes=inner)


LONG = "Team lead for escalations of business customers in the north, deputy of the site manager, first aider and buddy"

EDGES = Plan(
    target="production-emea",
    profile="genesys",
    changes=(
        change(
            user("maria.de-los-angeles.fernandez-y-garcia"),
            changed("userName", "maria.fernandez@example.com", "maria.garcia@example.com"),
            changed("title", LONG, f"{LONG}, now also for the south"),
            changed('emails[type eq "work"].value', "m@example.com", "mg@example.com", notes=("on the server: other",)),
            changed('emails[type eq "work"].primary', False, True),
            changed(f'{SKILLS}[name eq "Billing"].proficiency', 3, 4.0, origin=TEMPLATE),
            gone(f"{ENTERPRISE}:costCenter", "4711"),
            gone(SKILLS, 2, "Chat"),
            gone("roles", None, "Supervisor"),
            added("roles", None, "Agent"),
            actions=(Action.RENAME, Action.UPDATE),
            source=at(120, "identities/emea/customer-care/madrid/late-shift.yaml"),
            kept={"roles": 2, "routingSkills": 1},
        ),
        change(
            user("dan.o"),
            changed("active", False, True),
            added("roles", None, "Master Admin"),
            actions=(Action.REACTIVATE, Action.UPDATE),
            source=at(9),
            warnings=("is inactive on the server and comes back with the role Master Admin",),
        ),
        change(user("eva.p"), changed("active", False, True), actions=(Action.REACTIVATE,), source=at(30)),
        *(
            change(
                user(key),
                changed("active", True, False),
                gone("roles", None, "Agent"),
                actions=(Action.DEACTIVATE,),
                reason="removed from identities/leeds.yaml",
            )
            for key in ("lee.a", "lee.b", "lee.c", "lee.d", "lee.e", "lee.f", "lee.g", "lee.h")
        ),
        change(user("old.one"), actions=(Action.DELETE,), cause=Cause.DUE, reason="deleteAfter 30 days have passed"),
        change(
            group("night-shift"),
            AttributeChange(
                path="members", op=PatchOp.REMOVE, cause=Cause.DUE, item="c1e0", until="2026-12-31", before=None
            ),
            AttributeChange(path="members", op=PatchOp.ADD, cause=Cause.LEFTOVER, item="b0b"),
            added("members", None, "2819c223-7f76-453a-919d-413861904646", until="2027-03-31"),
            source=at(11, "identities/groups.yaml"),
        ),
        drifted(change(user("put.right"), changed("title", "Agent", "Lead"), source=at(60))),
        drifted(
            change(
                user("made.again"),
                added("userName", "made@example.com"),
                actions=(Action.CREATE,),
                reason="deleted on the server by other hands",
            )
        ),
        replace(
            change(
                user("tom.k"),
                replace(changed("title", "Agent", "Coach"), cause=Cause.LEFTOVER),
                source=at(51),
                notes=("inactive on the server, left so (write active: true)",),
            ),
            cause=Cause.LEFTOVER,
        ),
    ),
    drift=(
        drifted(replace(BOB, address=user("bob.li.the.elder"))),
        drifted(BOB),
        drifted(change(user("gone.girl"), added("userName", "gone@example.com"), actions=(Action.CREATE,))),
        drifted(
            change(
                group("support-emea"),
                gone("members", None, "2819c223-7f76-453a-919d-413861904646"),
                added("members", None, "c1e0"),
            )
        ),
        drifted(change(user("ida.w"), added("title", "Agent"))),
        *(drifted(change(user(f"agent.{n}"), changed(f"{ENTERPRISE}:division", "Home", "EMEA"))) for n in range(5)),
    ),
    violations=(
        Violation(
            rule="removals",
            summary="12 of 58 people would be removed; at most 3 may (5%, or 3 if that is more)",
            actual=12,
            limit=3,
            items=tuple(f"user.lee.{letter}" for letter in "abcdefghijkl"),
            digest="3f2a9c41",
            mend="split the change, or raise policy.limits.removals (reconciler.yaml:21) in a reviewed change",
        ),
    ),
    refused=(
        Diagnostic(
            severity=Severity.ERROR,
            code="ambiguous",
            summary="2 live users match",
            detail="ann@example.com and Ann.Lee@example.com both have the userName, without regard to case.",
            mend="delete or rename one of them on the server",
            address=user("ann.lee"),
            source=at(77),
        ),
    ),
    notices=(
        Diagnostic(
            severity=Severity.WARNING, code="no-record", summary="There is no record of an earlier apply.", detail="x"
        ),
        *(
            Diagnostic(
                severity=Severity.NOTICE, code="unmanaged", summary="no longer managed: title", address=user(f"a.{n}")
            )
            for n in range(40)
        ),
        Diagnostic(severity=Severity.NOTICE, code="behind", summary="This commit is older than the applied one."),
    ),
    names={
        "c1e0": ("cleo.brand", "Cleo Brand"),
        "b0b": ("bob.li", "Bob Li"),
    },
    requests=40,
    requests_per_minute=300,
)

WIDE = replace(
    QUIET,
    changes=(
        change(
            user("李"),
            added("userName", "李@example.com"),
            added("displayName", "李小龍 (客户服务中心, 第二班组, 周末及节假日轮值主管, 兼任新员工培训师和质量监督员)"),
            added("title", "Đội trưởng ca đêm"),
            actions=(Action.CREATE,),
            source=at(3, "identities/亚洲/香港.yaml"),
        ),
        change(group("夜班"), added("members", None, "1"), gone("members", None, "2"), kept={"members": 1200}),
        change(user("blob"), changed("urn:acme:2.0:User:badge", {"b": [1, 2.0, True], "a": None}, ["x" * 300])),
        change(user("alike"), changed("title", "x" * 500 + "old", "x" * 500 + "new")),
        change(user("unbroken"), changed("title", "y" * 230, "z" * 230)),
        change(user("keyed"), added('externalIds[authority eq "HR system of the group \\"north\\""].value', "0042")),
    ),
    names={"1": ("李", "李小龍"), "2": ("zoë", "Zoë Müller")},
)
