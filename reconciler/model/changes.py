"""Changes, which people review, and operations, which a machine carries out."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

from reconciler.model.addresses import Address, Json, Value
from reconciler.model.diagnostics import Origin, SourceLocation


class Action(StrEnum):
    """What happens to a resource as a whole, in Terraform's words where it has one."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE = "delete"

    # Enum's own is written in Python, here and below
    __hash__ = str.__hash__


class Cause(StrEnum):
    """Why a difference between desired and live exists; exactly one holds."""

    DECLARED = "declared"
    LEFTOVER = "leftover"
    DUE = "due"
    DRIFT = "drift"

    __hash__ = str.__hash__


class PatchOp(StrEnum):
    """RFC 7644 §3.5.2."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"

    __hash__ = str.__hash__


class AttributeChange(Struct, frozen=True, kw_only=True):
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


class Change(Struct, frozen=True, kw_only=True):
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


class PatchOperation(Struct, frozen=True, kw_only=True):
    """One member of ``Operations`` (RFC 7644 §3.5.2). Values may hold ``bulkId:…`` where an id is not known yet."""

    op: PatchOp
    path: str
    value: Json = None


class CreateResource(Struct, frozen=True, kw_only=True):
    """POST of a whole resource; `body` is SCIM JSON without ids of its own (RFC 7644 §3.3)."""

    number: int
    address: Address
    body: Mapping[str, Json]
    depends_on: tuple[int, ...] = ()


class PatchResource(Struct, frozen=True, kw_only=True):
    """PATCH of one resource (RFC 7644 §3.5.2). `live_id` may be ``bulkId:…`` of a resource created before."""

    number: int
    address: Address
    live_id: str
    operations: tuple[PatchOperation, ...]
    version: str | None = None
    depends_on: tuple[int, ...] = ()


class DeleteResource(Struct, frozen=True, kw_only=True):
    """DELETE of one resource (RFC 7644 §3.6)."""

    number: int
    address: Address
    live_id: str
    depends_on: tuple[int, ...] = ()


Operation: TypeAlias = CreateResource | PatchResource | DeleteResource
