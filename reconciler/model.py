"""The value types that every stage takes and gives. No behaviour beyond naming, ordering and look-up; stdlib only.

A *path* is a SCIM path (RFC 7644 §3.10) and names one comparable thing: ``title``, ``name.givenName``,
``emails[type eq "work"].value``, ``urn:…:enterprise:2.0:User:department``. A *list* (``roles``, ``members``,
``routingSkills``) is compared value by value: its items are keyed by name, or by live id for members.

Ids that the service provider has not given yet are spelled ``bulkId:user.alice.ng`` (RFC 7644 §3.7.2); RFC 7643 §3.1
reserves that word, so no real id can collide with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from reconciler.lazy import dataclass

Json: TypeAlias = str | bool | int | float | Sequence["Json"] | Mapping[str, "Json"] | None


class ResourceType(StrEnum):
    """The two resource types that are declared (RFC 7643 §4.1, §4.2)."""

    USER = "user"
    GROUP = "group"

    # Enum's own is written in Python, and every look-up by address takes it
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The lasting name of a declared resource: ``user.alice.ng``. Keys compare without case."""

    resource_type: ResourceType
    key: str

    def __str__(self) -> str:
        return f"{self.resource_type}.{self.key}"

    @property
    def folded(self) -> tuple[ResourceType, str]:
        """What two addresses are compared by."""
        return (self.resource_type, self.key.casefold())

    @classmethod
    def parse(cls, text: str) -> "Address":
        """``group.support-emea`` -> Address; ValueError if the part before the first dot is no resource type."""
        kind, _, key = text.partition(".")
        if not key:
            raise ValueError(f"not an address: {text!r}")
        return cls(ResourceType(kind), key)


BULK_ID: Final = "bulkId:"


def known_after_apply(address: Address) -> str:
    """The id of a resource that does not exist yet (RFC 7644 §3.7.2)."""
    return f"{BULK_ID}{address}"


def is_known(resource_id: str) -> bool:
    """Whether the service provider has given this id already."""
    return not resource_id.startswith(BULK_ID)


# --- places and diagnostics


@dataclass(frozen=True, slots=True, order=True)
class SourceLocation:
    """A place in a file; ``line`` and ``column`` count from 1, ``path`` is relative to the settings file's folder."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops, a warning and a notice do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """Something a person should know: what (`summary`), why (`detail`), how to mend it (`mend`). `code` is stable."""

    severity: Severity
    code: str
    summary: str
    detail: str = ""
    mend: str = ""
    address: Address | None = None
    source: SourceLocation | None = None


# --- desired


@dataclass(frozen=True, slots=True)
class LiveReference:
    """``{live: breakglass@example.com}``: a resource that is not declared, looked up by userName or displayName."""

    resource_type: ResourceType
    name: str

    def __str__(self) -> str:
        return f"live {self.resource_type} {self.name}"


Reference: TypeAlias = Address | LiveReference
ItemKey: TypeAlias = str | Address | LiveReference
"""A name (roles, skills) or a reference (members)."""

Value: TypeAlias = Json | Address | LiveReference
"""A canonical attribute value. In desired state None means "cleared"; a reference stands where SCIM wants an id."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a wanted value was written. ``via`` names the layer if it is not the resource's own: ``template agent``."""

    source: SourceLocation | None
    via: str = ""


class ListMode(StrEnum):
    """Whether a list holds exactly what is declared, or at least that."""

    AUTHORITATIVE = "authoritative"
    ADDITIVE = "additive"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredItem:
    """One wanted value of a list. `level` is the proficiency of a skill; `until` the last day of a membership."""

    origin: Origin
    level: float | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredList:
    """A list that has a line. `expired` keeps memberships whose last day has passed: the same as no line, but *due*."""

    mode: ListMode
    items: Mapping[ItemKey, DesiredItem]
    expired: Mapping[ItemKey, date] = field(default_factory=dict)


class Phase(StrEnum):
    """Where today stands against the dates of a user."""

    UNDATED = "undated"
    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The lines about a person's being here. Days are in the target's (or the user's) time zone, ends included."""

    active: bool | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    delete_after: int | None = None
    phase: Phase = Phase.UNDATED


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredResource:
    """One declared resource, resolved for one target and one day.

    `attributes`: path -> wanted value, None = cleared; a path that is missing is not managed.
    `lists`: list name -> wanted items; a list that is missing has no line.
    `formerly`: earlier userNames or keys, as written. `origins`: path -> where it was written.
    """

    address: Address
    attributes: Mapping[str, Value]
    source: SourceLocation
    lists: Mapping[str, DesiredList] = field(default_factory=dict)
    lifecycle: Lifecycle = Lifecycle()
    formerly: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """What this commit declares for one target on one day. `diagnostics` are notices about it, never errors."""

    resources: Mapping[Address, DesiredResource]
    released: frozenset[Address] = frozenset()
    today: date
    files: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


# --- live


class Unset(Enum):
    """Why a live resource shows no value at a path: it has none, or nobody has read it."""

    ABSENT = "absent"
    NOT_READ = "not read"


ABSENT: Final = Unset.ABSENT
NOT_READ: Final = Unset.NOT_READ


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResource:
    """One resource as the service provider holds it, in canonical form.

    `attributes`: path -> value. `lists`: list name -> item -> level (None where the list has no levels; a level also
    stands in `attributes` under its own path).
    `not_read`: attribute names or paths that were not asked for, never come back, or cannot be told apart -> why.
    `several`: paths among those whose values cannot be told apart -> all of them.
    """

    resource_type: ResourceType
    id: str
    attributes: Mapping[str, Value]
    lists: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    not_read: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    version: str | None = None

    def at(self, path: str) -> Value | Unset:
        """The value at a path, or why there is none."""
        if path in self.attributes:
            return self.attributes[path]
        if self.not_read and (path in self.not_read or _attribute_of(path) in self.not_read):
            return NOT_READ
        return ABSENT

    def items(self, name: str) -> Mapping[str, float | None] | None:
        """The items of a list; None if the list was not read."""
        if name in self.not_read:
            return None
        return self.lists.get(name, {})

    @property
    def active(self) -> bool:
        """RFC 7643 §4.1.1: a user without the attribute is taken for active."""
        return self.attributes.get("active") is not False

    @property
    def name(self) -> str:
        """What people call it: userName of a user, displayName of a group."""
        path = "userName" if self.resource_type is ResourceType.USER else "displayName"
        return str(self.attributes.get(path, self.id))


def _attribute_of(path: str) -> str:
    head, bracket, _ = path.partition("[")
    if bracket:
        return head
    return path if ":" in path else path.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """Everything a target holds, read whole. `notices`: what a reader of the plan must know about the reading."""

    resources: Mapping[str, LiveResource]
    totals_trusted: bool = True
    notices: tuple[Diagnostic, ...] = ()

    def of(self, resource_type: ResourceType) -> list[LiveResource]:
        """All live users, or all live groups."""
        return [each for each in self.resources.values() if each.resource_type is resource_type]


# --- applied


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedItem:
    """A list value that is ours; `until` as it was declared (ISO date)."""

    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedList:
    """Which values of a list are ours, and how the list was declared when that was announced (None: it had no line)."""

    mode: ListMode | None = None
    items: Mapping[str, AppliedItem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What an apply announced and nobody has verified.

    `values`: path -> value to set, None = to clear. `give`: list -> item -> as it will be recorded.
    `take`: list -> items. `delete`: the resource itself. `leaving`: it was no longer declared, so ``active: false`` is
    a departure and not a line.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    give: Mapping[str, Mapping[str, AppliedItem]] = field(default_factory=dict)
    take: Mapping[str, frozenset[str]] = field(default_factory=dict)
    delete: bool = False
    leaving: bool = False

    def __bool__(self) -> bool:
        return bool(self.values or self.give or self.take or self.delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDates:
    """The date lines as they were when last brought about (ISO dates; days for `delete_after`)."""

    starts_on: str | None = None
    ends_on: str | None = None
    delete_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedResource:
    """The record's entry of one address: what we brought about (A) and what we announced (P).

    `live_id` None: only announced (a create without an answer). `source`: the commit whose declarations held it.
    `seen`: entered only so that the address does not count as new later.
    """

    address: Address
    live_id: str | None
    source: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    lists: Mapping[str, AppliedList] = field(default_factory=dict)
    dates: AppliedDates = AppliedDates()
    pending: Pending = Pending()
    seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedState:
    """The record of a target. `commit`: newest commit an apply set out for; `whole`: an apply has reached its end."""

    commit: str | None = None
    whole: bool = False
    resources: Mapping[Address, AppliedResource] = field(default_factory=dict)
    exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an address stood in the declarations of a commit. `names`: what it was to be called; `path`: its file."""

    names: frozenset[str]
    path: str


# --- matching


@dataclass(frozen=True, slots=True)
class Paired:
    """A declared resource and the live one it stands for."""

    address: Address
    live_id: str
    by: str


@dataclass(frozen=True, slots=True)
class OnlyDesired:
    """A declared resource that is not on the server."""

    address: Address


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A declared resource that may stand for several live ones, or for one that must not be guessed at."""

    address: Address
    candidates: tuple[str, ...]
    reason: str


Match: TypeAlias = Paired | OnlyDesired | Ambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The outcome of matching. `entries`: address -> the record's entry that says something about its account.

    `frozen`: live ids that nothing may change about. `ids` resolves references; a create has its ``bulkId:`` id.
    """

    by_address: Mapping[Address, Match]
    address_of: Mapping[str, Address]
    entries: Mapping[Address, AppliedResource]
    frozen: frozenset[str]

    def id_of(self, address: Address) -> str | None:
        """The live id of a declared resource, ``bulkId:…`` where it is to be created, None where it is ambiguous."""
        match self.by_address.get(address):
            case Paired(live_id=live_id):
                return live_id
            case OnlyDesired():
                return known_after_apply(address)
            case _:
                return None


# --- changes


class Action(StrEnum):
    """What happens to a resource as a whole, in Terraform's words where it has one."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


class Cause(StrEnum):
    """Why a difference between desired and live exists; exactly one holds."""

    DECLARED = "declared"
    LEFTOVER = "leftover"
    DUE = "due"
    DRIFT = "drift"


class PatchOp(StrEnum):
    """RFC 7644 §3.5.2."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """One difference a reader sees as one line.

    A scalar: `path`, `before`, `after` (None = absent). A list value: `path` is the list's name and `item` its key;
    `after` (on add) or `before` (on remove) is its level, if the list has levels.
    """

    path: str
    op: PatchOp
    cause: Cause
    before: Value = None
    after: Value = None
    item: str | None = None
    notes: tuple[str, ...] = ()
    origin: Origin | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything that happens to one resource: what a person reviews.

    `label`: what people call it. `reason`: why, where the source alone does not say it. `kept`: list -> how many stay.
    """

    address: Address
    actions: tuple[Action, ...]
    cause: Cause
    label: str
    live_id: str | None = None
    version: str | None = None
    attribute_changes: tuple[AttributeChange, ...] = ()
    reason: str = ""
    source: SourceLocation | None = None
    notes: tuple[str, ...] = ()
    kept: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


# --- operations


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOperation:
    """One member of ``Operations`` (RFC 7644 §3.5.2). Values may hold ``bulkId:…`` where an id is not known yet."""

    op: PatchOp
    path: str
    value: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResource:
    """POST of a whole resource; `body` is SCIM JSON without ids of its own (RFC 7644 §3.3)."""

    number: int
    address: Address
    body: Mapping[str, Json]
    depends_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchResource:
    """PATCH of one resource (RFC 7644 §3.5.2). `live_id` may be ``bulkId:…`` of a resource created before."""

    number: int
    address: Address
    live_id: str
    operations: tuple[PatchOperation, ...]
    version: str | None = None
    depends_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResource:
    """DELETE of one resource (RFC 7644 §3.6)."""

    number: int
    address: Address
    live_id: str
    depends_on: tuple[int, ...] = ()


Operation: TypeAlias = CreateResource | PatchResource | DeleteResource


# --- policy and plan


class Removal(StrEnum):
    """What happens to somebody (or a group) that is ours and no longer declared."""

    DEACTIVATE = "deactivate"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap: a number, or a share (0.05 = 5 %) of what it concerns, never below 3."""

    number: int | None = None
    share: float | None = None

    def of(self, population: int) -> int:
        """How many are allowed among `population`."""
        if self.number is not None:
            return self.number
        # 0.29 * 100 is 28.999999999999996 in binary; 29 % of a hundred people are 29 people
        return max(3, int((self.share or 0.0) * population + 1e-9))

    def __str__(self) -> str:
        return str(self.number) if self.number is not None else f"{(self.share or 0) * 100:g}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The `policy` of a target, defaults filled in (settings.schema.json). `setting`: where it stands, for messages."""

    removal_users: Removal = Removal.DEACTIVATE
    removal_groups: Removal = Removal.KEEP
    drift_correct: bool = False
    removals: Limit = Limit(share=0.05)
    member_removals: Limit = Limit(share=0.20)
    role_removals: Limit = Limit(share=0.20)
    updates: Limit | None = None
    creations: Limit | None = None
    protect: tuple[str, ...] = ()
    minimum: Mapping[str, int] = field(default_factory=dict)
    privileged_roles: tuple[str, ...] = ()
    privileged_groups: tuple[str, ...] = ()
    sources: Mapping[str, SourceLocation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A safety rule that stops the run. `items` are what it counts, in words; `digest` covers exactly those."""

    rule: str
    summary: str
    actual: int
    limit: int
    items: tuple[str, ...]
    digest: str
    mend: str


class AccessKind(StrEnum):
    """What somebody may have: she is in a group, or holds a role."""

    GROUP = "group"
    ROLE = "role"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessItem:
    """One group (by display name) or role. `privileged`: the policy names it so."""

    kind: AccessKind
    name: str
    privileged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChange:
    """What one person gains and loses in the end. `person`: her live id; `name`: key or login; `label`: display name.

    `starts`: she becomes active, with all that she gains. `ends`: she is active no longer, and loses everything.
    """

    person: str
    name: str
    label: str
    gains: tuple[AccessItem, ...] = ()
    loses: tuple[AccessItem, ...] = ()
    starts: bool = False
    ends: bool = False

    @property
    def privileged(self) -> bool:
        """Whether anything privileged is among it."""
        return any(each.privileged for each in (*self.gains, *self.loses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an apply would do, as a value: comparable, printable, savable. No functions inside, no clock.

    `drift`: differences that others made and that this plan leaves. `refused`: identities that cannot be planned.
    `names`: id -> (key or login, display name) of all that changes mention. `matched`: how many declared ones are live.
    `access`: who gains and loses what in the end.
    """

    target: str
    profile: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...] = ()
    operations: tuple[Operation, ...] = ()
    violations: tuple[Violation, ...] = ()
    refused: tuple[Diagnostic, ...] = ()
    notices: tuple[Diagnostic, ...] = ()
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    matched: Mapping[ResourceType, int] = field(default_factory=dict)
    unmanaged: int = 0
    requests: int = 0
    requests_per_minute: int | None = None
    access: tuple[AccessChange, ...] = ()
    commit: str | None = None
    tool_version: str = ""
    format_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The changes of a plan, divided for reading. Nothing of what is planned depends on it.

    `base`: a git reference, as given, and its `commit`. `here`: what comes with this checkout alone. `earlier`: what
    the declarations of the base would bring about as well. A change of which both is true stands in both, in part.
    """

    base: str
    commit: str
    here: tuple[Change, ...]
    earlier: tuple[Change, ...]


# --- results


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The service provider did it. `live_id` of what was created or touched; `note`: what deserves a word."""

    number: int
    live_id: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The service provider refused, or gave no answer (`unknown`: it may have done it all the same)."""

    number: int
    message: str
    status: int | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Not done because something it needs failed (`because`: that operation's number)."""

    number: int
    message: str
    because: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTried:
    """The run ended before its turn."""

    number: int
    message: str


Result: TypeAlias = Succeeded | Failed | Skipped | NotTried
