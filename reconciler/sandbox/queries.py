"""What a query asks for (RFC 7644 section 3.4.2), read from the parameters of a GET or the body of POST /.search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.sandbox.errors import invalid_syntax, invalid_value
from reconciler.sandbox.filters import Filter
from reconciler.sandbox.values import folded_names

SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_MAX_NUMBER = 2**31  # more than any list holds, less than what the database takes
_LISTS = {"attributes", "excludedattributes"}


class Query(Struct, frozen=True, kw_only=True):
    """What to return; `start_index` is 1-based, `count` None means as many as a page holds by default.

    `tree` is the filter once it has been read.
    """

    filter: str | None = None
    tree: Filter | None = None
    attributes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int | None = None


def query_from_parameters(parameters: Mapping[str, Sequence[str]]) -> Query:
    """Read the query string of a GET; names compare without case, lists may be repeated or joined by commas."""
    given = {name.lower(): values for name, values in parameters.items()}
    return _query({name: values if name in _LISTS else values[-1] for name, values in given.items()})


def query_from_search(body: Any) -> Query:
    """Read the body of POST /.search (RFC 7644 section 3.4.3); raises ScimError 400."""
    if not isinstance(body, dict):
        raise invalid_syntax("The body must be a JSON object.")
    members = {folded: value for folded, (_, value) in folded_names(body, "").items() if value is not None}
    schemas = members.pop("schemas", None)
    if not isinstance(schemas, list) or SEARCH_REQUEST not in schemas:
        raise invalid_syntax(f"schemas must name {SEARCH_REQUEST}.")
    return _query(members)


def _query(given: Mapping[str, Any]) -> Query:
    count = given.get("count")
    return Query(
        filter=_text(given, "filter"),
        attributes=_list(given, "attributes"),
        excluded=_list(given, "excludedattributes"),
        sort_by=_text(given, "sortby"),
        descending=_is_descending(given.get("sortorder", "ascending")),
        start_index=max(1, _number(given.get("startindex", 1), "startIndex")),
        count=None if count is None else max(0, _number(count, "count")),
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_value(f"{name} must be text.")
    return value or None


def _list(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        raise invalid_value(f"{name} must be a list of attribute paths.")
    return tuple(path.strip() for joined in value for path in joined.split(",") if path.strip())


def _number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise invalid_value(f"{name} must be a whole number.")
    try:
        return max(-_MAX_NUMBER, min(int(value), _MAX_NUMBER))
    except ValueError as error:
        raise invalid_value(f"{name} must be a whole number, not {value!r}.") from error


def _is_descending(order: Any) -> bool:
    lowered = order.lower() if isinstance(order, str) else ""
    if lowered not in ("ascending", "descending"):
        raise invalid_value(f"sortOrder must be ascending or descending, not {order!r}.")
    return lowered == "descending"
