"""How an embedded organisation answers where real ones differ, or where nobody outside knows: data, read by the rest.

Two kinds of switches stand here. `Switches` first has the open questions about the contact centre: what its public
descriptions do not settle, or settle in two ways. Each has a default and at least one other answer. Then come faults
that services were seen to have; they work in every profile and are there to test clients. The defaults have no fault.

    open_sandbox(None, "genesys", switches=Switches(conflict=409, put_keeps_omitted=True))

In settings the names are in camel case, see `read_switches`.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from reconciler.sandbox.errors import SandboxError

FEATURES = ("patch", "etag", "filter", "sort")


class Treatment(StrEnum):
    """What happens to something that cannot be taken."""

    REFUSE = "refuse"
    IGNORE = "ignore"


class PhoneForm(StrEnum):
    """How numbers without extension are read back; those with one are always tel: URIs."""

    E164 = "e164"
    TEL = "tel"


class ErrorShape(StrEnum):
    """Which of the two error bodies is used.

    mixed      SCIM errors where the SCIM part refuses, platform errors where the gateway before it does
    platform   platform errors for everything but 409
    scim       SCIM errors for everything
    """

    MIXED = "mixed"
    PLATFORM = "platform"
    SCIM = "scim"


class RetryAfter(StrEnum):
    """The two forms of Retry-After, RFC 9110 section 10.2.3."""

    SECONDS = "seconds"
    DATE = "date"


class RateScope(StrEnum):
    """Whose requests share one budget."""

    TOKEN = "token"  # noqa: S105 - a word
    CLIENT = "client"


class MemberAdd(StrEnum):
    """What adding members by PATCH does."""

    ADDS = "adds"
    REPLACES = "replaces"


class MemberRemove(StrEnum):
    """What removing members by PATCH with a value filter does; all but `removes` are answered 200 or 400."""

    REMOVES = "removes"
    IGNORED = "ignored"
    REFUSED = "refused"


class MemberReplace(StrEnum):
    """What replacing members by PATCH does."""

    SETS = "sets"
    EMPTIES = "empties"


class Totals(StrEnum):
    """What totalResults of a list says."""

    TRUE = "true"
    PAGE = "page"


class BeyondEnd(StrEnum):
    """What a page behind the last row holds."""

    NOTHING = "nothing"
    FIRST_PAGE = "first-page"


class Failure(StrEnum):
    """What happens to a request in place of its answer; only `drop` lets it take effect first."""

    NONE = "none"
    RATE_TEXT = "rate-text"  # 500, and a text that speaks of a rate limit
    HTML = "html"  # 502, and a page for people
    TOO_MANY = "too-many"  # 429 with Retry-After
    CONFLICT = "conflict"  # 409, as when two writers meet
    DROP = "drop"  # the connection ends after the change, before the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One answer to every question. Names of attributes stand without URN and compare without case."""

    # --- open questions about the contact centre -------------------------------------------------------------------
    # POST with the userName of somebody deleted: the old id again, or a new one; and the status of the former
    restore: bool = True
    restore_status: int = field(default=201, metadata={"choices": (200, 201)})
    restore_keeps: bool = True  # attributes that the POST does not name come back too; roles never do
    put_keeps_omitted: bool = False  # attributes a PUT does not name are kept, else cleared
    empty_values_ignored: bool = False  # "", null and [] change nothing, else they clear
    replace_merges: tuple[str, ...] = ()  # of these, PATCH replace adds to what is there, else it sets
    unremovable: tuple[str, ...] = ()  # of these, PATCH remove is answered 200 and does nothing
    unknown_names: Treatment = Treatment.REFUSE  # roles, divisions, skills, languages the organisation lacks
    unknown_attributes: Treatment = Treatment.REFUSE  # attributes that no schema has
    forbidden: tuple[str, ...] = ()  # attributes the token may not write
    forbidden_writes: Treatment = Treatment.REFUSE  # a write of those: 403, or passed over
    only_slot_filters: bool = False  # value filters of PATCH know type and authority only; members are another switch
    missing_slot_created: bool = False  # PATCH writes a value that its filter does not find, else noTarget
    other_email: Treatment = Treatment.IGNORE  # a write to the address that mirrors userName
    group_rename: Treatment = Treatment.REFUSE
    member_remove: MemberRemove = MemberRemove.REMOVES
    member_replace: MemberReplace = MemberReplace.SETS
    nested_groups: bool = False
    operations_per_patch: int | None = None
    members_per_patch: int | None = None
    members_per_group: int | None = None
    conflict: int = field(default=412, metadata={"choices": (400, 409, 412)})  # a stale If-Match; 400 says invalidVers
    delete_status: int = field(default=204, metadata={"choices": (200, 204)})
    phone_form: PhoneForm = PhoneForm.E164
    bare_extensions: bool = True  # numbers without + are taken as extensions, else refused
    external_id_per_client: bool = False  # every OAuth client has an externalId of its own for a person
    case_exact: tuple[str, ...] = ()  # attributes of users and groups whose letter case counts; for a fresh store
    inactive_found: bool = True  # a filter that does not speak of active finds inactive people too
    email_is_user_name: bool = False  # `email eq` looks at userName only, else at all addresses
    only_equality: bool = False  # eq is the only operator, and outside of brackets one comparison the only filter
    unsupported: tuple[str, ...] = field(default=(), metadata={"choices": FEATURES})  # said so, and true
    refused_page: int | None = None  # a page of more rows than this is answered 429
    last_index: int | None = None  # a page behind this row is answered 400
    groups_need_filter: bool = False  # the list of /api/v2/scim/v2/groups without filter: 400
    listed_without: tuple[str, ...] = ()  # left out of lists unless named in `attributes`; `members` is a fault, too
    visibility_delay: int = 0  # reads (one by id, or a list) by which a new user is not there yet
    errors: ErrorShape = ErrorShape.MIXED
    limits_listed: bool = True  # limits/namespaces/scim answers, else 404
    rate_limit: int | None = None  # requests a minute; also gives the rate headers
    rate_scope: RateScope = RateScope.TOKEN
    retry_after: RetryAfter = RetryAfter.SECONDS

    # --- faults, in every profile ----------------------------------------------------------------------------------
    totals: Totals = Totals.TRUE
    page_cap: int | None = field(default=None, metadata={"least": 1})  # rows a page, however many were asked for
    beyond_end: BeyondEnd = BeyondEnd.NOTHING
    moving_rows: int = 0  # so many requests for later pages see the first row moved behind the last
    member_add: MemberAdd = MemberAdd.ADDS
    dropped: tuple[str, ...] = ()  # attributes that every write loses without a word
    delete_deactivates: bool = False
    booleans_as_text: bool = False
    user_name_lowered: bool = False
    failure: Failure = Failure.NONE
    failures: int = 1  # how many requests fail
    failing_methods: tuple[str, ...] = ("POST", "PUT", "PATCH", "DELETE")


def read_switches(mapping: Mapping[str, Any]) -> Switches:
    """Read switches as settings have them: names in camel case, lists for several names, null for no limit.

    Raises SandboxError that names every entry that cannot be used, and what could stand there.
    """
    known = {_camel(each.name): each for each in fields(Switches)}
    hints = get_type_hints(Switches)
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for key, value in mapping.items():
        switch = known.get(key)
        if switch is None:
            wrong.append(_unknown(key, list(known)))
            continue
        try:
            values[switch.name] = _read(value, hints[switch.name], switch.metadata)
        except ValueError as error:
            wrong.append(f"{key} must be {error}, not {value!r}")
    if wrong:
        raise SandboxError("These switches of the sandbox cannot be used: " + "; ".join(wrong) + ".")
    return Switches(**values)


def _read(value: Any, kind: Any, rules: Mapping[str, Any]) -> Any:
    """Return the value for a field; raises ValueError with the words for what would fit."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = next(each for each in get_args(kind) if each is not types.NoneType)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value
    if kind is int:
        return _number(value, rules)
    if get_origin(kind) is tuple:
        return _names(value, rules)
    if value not in list(kind):
        raise ValueError("one of " + ", ".join(kind))
    return kind(value)


def _names(value: Any, rules: Mapping[str, Any]) -> tuple[str, ...]:
    choices = rules.get("choices", ())
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError("a list of names")
    if choices and not set(value) <= set(choices):
        raise ValueError("a list of " + ", ".join(choices))
    return tuple(value)


def _number(value: Any, rules: Mapping[str, Any]) -> int:
    choices, least = rules.get("choices", ()), rules.get("least", 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (choices and value not in choices):
        raise ValueError("one of " + ", ".join(map(str, choices)) if choices else f"a whole number from {least}")
    return value


def _unknown(key: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"{key!r} is none" + (f" (did you mean {near[0]}?)" if near else "")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
