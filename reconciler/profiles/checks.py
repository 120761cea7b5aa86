"""What no type can say of a profile: whether its paths, headers, names and filters can be meant.

Whoever writes a profile for a provider reads these sentences; each stands at the line that it is about. A value that
would make people look absent, put a secret into git or match nobody is refused here, before any request.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.lazy import pattern
from reconciler.profiles.conversion import Conversion
from reconciler.profiles.profile import DOMAIN, AttributeRules, WireRules
from reconciler.scim.attributes import Attribute, AttributeTable, Kind, name_path
from reconciler.suggestions import suggestion

_PATH: Final = pattern(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_TOKEN: Final = pattern(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = pattern(r"[!-~](?:[ -~]*[!-~])?")
_NAME: Final = pattern(r"[A-Za-z][A-Za-z0-9_-]*")
_URN: Final = pattern(r"urn:[!-~]+", 0)
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_CLIENTS_HEADERS: Final = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "if-match"}
)
_RATE_HEADERS: Final = ("allowed", "count", "reset")
_ENVIRONMENT: Final = ("region", "bearer", "clientId", "clientSecret")
_RIGHTS: Final = tuple(f"{of}.{to}" for of in ("users", "groups") for to in ("read", "create", "update", "delete"))
RESERVED: Final = frozenset(
    {"id", "meta", "schemas", "$ref", "password", "active", "startsOn", "endsOn", "deleteAfter", "timeZone", "from"}
    | {"without", "targets", "formerly", "overrides", "groups", "members", "memberRule", "membership", "template"}
)
"""What a declaration means otherwise, or may not hold: no attribute that a profile adds can be called so."""
_OF_USERS_ONLY: Final[tuple[str, ...]] = ("bareExtension", "costly", "wholeLists")


def check_wire(conversion: Conversion, wire: WireRules, users: AttributeTable, data: dict[str, Any]) -> None:
    """The rules about requests; `data` is what the profile itself writes of them."""
    for key, path in (
        ("usersPath", wire.users_path),
        ("groupsPath", wire.groups_path),
        ("limitsPath", wire.limits_path),
    ):
        if key in data and path is not None and not _PATH.fullmatch(path):
            mend = "begin it with / and end it without, as in /Users; what stands before it belongs to url"
            conversion.error("wrong-path", conversion.places.value(data, key), f"wire.{key} is no path", mend)
    for key, url in (("regionUrl", wire.region_url), ("regionTokenUrl", wire.region_token_url)):
        if key in data and url is not None and (DOMAIN not in url or not url.startswith("https://")):
            mend = f"write it like https://api.{DOMAIN}/scim/v2"
            words = f"wire.{key} must begin with https:// and have {DOMAIN} in it"
            conversion.error("unknown-value", conversion.places.value(data, key), words, mend)
    if wire.regions and wire.region_url is None:
        place = conversion.places.key(data, "regions" if "regions" in data else "regionUrl")
        conversion.error(
            "missing-key", place, "wire.regions needs regionUrl beside it", f"write regionUrl with {DOMAIN}"
        )
    _check_headers(conversion, wire, data)
    _check_listings(conversion, wire, data)
    for key, known in (("rateHeaders", _RATE_HEADERS), ("environment", _ENVIRONMENT)):
        _check_keys(conversion, data, key, known, ())
    _check_keys(conversion, data, "rights", _RIGHTS, [each.name for each in users.attributes])


def check_table(conversion: Conversion, table: AttributeTable, data: dict[str, Any], rows: str) -> None:
    """The attributes that a profile adds: `rows` is how messages call them, ``users.attributes``."""
    written = data.get("attributes")
    seen: set[str] = set()
    for index, row in enumerate(written if isinstance(written, list) else ()):
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            continue
        place, words = conversion.places.value(row, "name"), f"{rows} item {index + 1}.name"
        if name.lower() in {each.lower() for each in RESERVED}:
            mend = "take it out" if name.lower() != "password" else "take it out: no password may stand in git"
            conversion.error("reserved-name", place, f"{words}: {name} means something else in declarations", mend)
        elif not _NAME.fullmatch(name):
            mend = "an attribute's name has letters, digits, - and _, and begins with a letter (RFC 7643 §2.1)"
            conversion.error("wrong-name", place, f"{words} is no name of an attribute", mend)
        elif name in seen:
            conversion.error("repeated-name", place, f"{words}: {name} is written twice", "keep one of the rows")
        else:
            known = (each.name for each in table.attributes if each.name.lower() == name.lower())
            other = next((each for each in known if each != name), None)
            if other is not None:
                summary = f"{words}: there is {other}, and case makes no difference (RFC 7643 §2.1)"
                conversion.error("wrong-name", place, summary, f"write {other}")
        seen.add(name)


def check_attribute(conversion: Conversion, attribute: Attribute, row: dict[str, Any], words: str) -> None:
    """One row of ``attributes`` by itself."""
    place = conversion.places.of(row)
    if attribute.kind in (Kind.COMPLEX, Kind.KEYED) and not attribute.parts:
        conversion.error("missing-key", place, f"{words} needs parts", "name the sub-attributes that are managed")
    if attribute.kind is Kind.KEYED and attribute.value is not None and attribute.value not in attribute.parts:
        conversion.error("unknown-value", place, f"{words}.value must be one of its parts", "or write value: null")
    if "schema" in row and not _URN.fullmatch(attribute.schema):
        mend = "write the URN of the schema, as /Schemas of the provider has it"
        conversion.error("unknown-value", conversion.places.value(row, "schema"), f"{words}.schema is no URN", mend)
    if attribute.maximum is not None and attribute.maximum < attribute.minimum:
        conversion.error("unknown-value", place, f"{words}.maximum is less than minimum", "exchange them")


def check_kinds(
    conversion: Conversion, table: AttributeTable, elsewhere: Mapping[str, Kind], data: dict[str, Any], words: str
) -> None:
    """An attribute that is known already keeps its shape: declarations of all targets are judged by one schema."""
    written = data.get("attributes")
    for row in written if isinstance(written, list) else ():
        attribute = table.get(row["name"]) if isinstance(row, dict) and isinstance(row.get("name"), str) else None
        kind = elsewhere.get(attribute.name) if attribute is not None else None
        if attribute is not None and kind is not None and attribute.kind is not kind:
            summary = f"{words}.attributes: {attribute.name} is of kind {kind} everywhere, not {attribute.kind}"
            mend = f"write kind: {kind}, or give the attribute another name"
            conversion.error("unknown-value", conversion.places.value(row, "kind"), summary, mend)


def check_rules(conversion: Conversion, rules: AttributeRules, data: dict[str, Any], words: str) -> None:
    """The rules about the attributes of one resource type."""
    table = rules.table
    for key in _OF_USERS_ONLY if words == "groups" else ():
        if key in data:
            summary, mend = f"groups.{key} would change nothing: it is about users", "write it under users"
            conversion.error("of-users-only", conversion.places.key(data, key), summary, mend)
    for key, names in _named(rules).items():
        for name in names:
            source = conversion.places.value(data, key) if key in data else conversion.places.of(data)
            if not _known(table, name):
                mend = suggestion(name, [each.name for each in table.attributes])
                conversion.error("unknown-attribute", source, f"{words}.{key}: there is no attribute {name}", mend)
    found_by = name_path(table.resource_type)
    for key, given in (("notStored", rules.not_stored), ("unsupported", rules.unsupported)):
        if found_by in given and key in data:
            summary = f"{words}.{key}: {found_by} is what they are found by, so it must be stored"
            conversion.error("identifying", conversion.places.value(data, key), summary, "take it out")


def _check_headers(conversion: Conversion, wire: WireRules, data: dict[str, Any]) -> None:
    if "contentType" in data and not _HEADER_VALUE.fullmatch(wire.content_type):
        place = conversion.places.value(data, "contentType")
        conversion.error(
            "wrong-header", place, "wire.contentType is no value of a header", "write it like application/json"
        )
    headers: Any = data.get("headers")
    for name, value in wire.headers.items() if isinstance(headers, dict) else ():
        place, words = conversion.places.key(headers, name), f"wire.headers.{name}"
        if name.lower() in _SECRET_HEADERS:
            summary = f"wire.headers: {name} would put a secret into git"
            conversion.error(
                "secret-header", place, summary, "take it out, change the secret, and write auth in the settings"
            )
        elif name.lower() in _CLIENTS_HEADERS:
            mend = "write contentType" if name.lower() == "content-type" else "take it out"
            conversion.error("wrong-header", place, f"wire.headers: {name} is set for each request by itself", mend)
        elif not _TOKEN.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            conversion.error("wrong-header", place, f"{words} is no header", "use letters, digits and signs of ASCII")


def _check_listings(conversion: Conversion, wire: WireRules, data: dict[str, Any]) -> None:
    if "userListFilters" in data and not wire.user_list_filters:
        mend = "write [null] for one listing without a filter"
        place = conversion.places.value(data, "userListFilters")
        conversion.error("no-listing", place, "wire.userListFilters is empty: nobody would be found", mend)
    for each in wire.cut_lists:
        if each not in wire.user_list_filters and "cutLists" in data:
            known = [each for each in wire.user_list_filters if each is not None]
            summary = f'wire.cutLists: "{each}" is none of userListFilters'
            conversion.error(
                "unknown-value", conversion.places.value(data, "cutLists"), summary, suggestion(each, known)
            )
    wrong = [each for each in wire.retry_statuses if not 400 <= each <= 599]
    if wrong and "retryStatuses" in data:
        place = conversion.places.value(data, "retryStatuses")
        summary = f"wire.retryStatuses: {wrong[0]} is no status of an error"
        conversion.error("unknown-value", place, summary, "write statuses from 400 to 599, such as 429")


def _check_keys(
    conversion: Conversion, data: dict[str, Any], key: str, known: Iterable[str], attributes: Iterable[str]
) -> None:
    """The names in a mapping whose names have a meaning."""
    written: Any = data.get(key)
    names = (*known, *attributes)
    for name in written if isinstance(written, dict) else ():
        if name not in names:
            place = conversion.places.key(written, name)
            conversion.error("unknown-key", place, f"wire.{key} has no key {name}", suggestion(str(name), names))


def _named(rules: AttributeRules) -> dict[str, Iterable[str]]:
    """Key -> the attributes that it speaks of."""
    return {
        "unsupported": rules.unsupported,
        "required": rules.required,
        "caseInsensitive": rules.case_insensitive,
        "readOnlyElements": rules.read_only_elements,
        "notStored": rules.not_stored,
        "modes": rules.modes,
        "neverRemoved": rules.never_removed,
        "costly": rules.costly,
        "givenAtCreate": rules.given_at_create,
        "wholeLists": rules.whole_lists,
        "existing": rules.existing,
    }


def _known(table: AttributeTable, name: str) -> bool:
    """Whether a name or path, in exactly that spelling, belongs to an attribute of the table."""
    attribute = table.get(name.partition("[")[0].partition(".")[0]) or table.by_path(name)
    return attribute is not None and name.startswith((attribute.name, attribute.path))
