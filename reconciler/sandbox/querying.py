"""Queries over many resources (RFC 7644 section 3.4.2): filter, sort, page, projection.

Order without `sortBy` is the order of creation and never changes, so that pages fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from reconciler.sandbox.bodies import bare_name
from reconciler.sandbox.directory import Directory
from reconciler.sandbox.errors import ScimError, ScimType, invalid_path
from reconciler.sandbox.filters import And, Filter, equality_only, parse_filter
from reconciler.sandbox.messages import Asker, list_response
from reconciler.sandbox.predicates import Predicate, compile_filter, equality_on, mentions
from reconciler.sandbox.projection import projection
from reconciler.sandbox.queries import Query
from reconciler.sandbox.schema import AttributeType, JsonObject, PathError, Place, ResourceType, fold, instant, normal
from reconciler.sandbox.store import Row
from reconciler.sandbox.switches import BeyondEnd, Switches, Totals
from reconciler.sandbox.values import is_primary

# What is worked out for every answer, so that a filter has to look at the whole answer to see it.
_WORKED_OUT = ("groups", "location", "$ref")


def run_query(directory: Directory, query: Query, resource_types: Sequence[ResourceType], asker: Asker) -> JsonObject:
    """Return the ListResponse for a query over some resource types; raises ScimError 400."""
    cut = projection(query.attributes, query.excluded, resource_types)
    with directory.store.snapshot():
        rows, total = _matching_rows(directory, _completed(directory, query, resource_types), resource_types, asker)
        memberships = directory.store.memberships([row.id for row in rows]) if rows else {}
    representer, switches = directory.representer, directory.organisation.switches
    resources = [cut[row.type](representer.resource(row, asker, memberships.get(row.id, ()))) for row in rows]
    absent = {name.lower() for name in switches.listed_without} - {bare_name(path) for path in query.attributes}
    if absent:
        resources = [_without(resource, absent) for resource in resources]
    return list_response(
        [representer.answer(resource) for resource in resources],
        total=len(rows) if switches.totals is Totals.PAGE else total,
        start_index=query.start_index,
    )


def _completed(directory: Directory, query: Query, resource_types: Sequence[ResourceType]) -> Query:
    """Return the query with what the organisation adds to it or passes over."""
    organisation = directory.organisation
    unsupported = organisation.switches.unsupported
    if "filter" in unsupported and query.filter is not None:
        raise ScimError(400, "Filters are not supported.", ScimType.INVALID_FILTER)
    if "sort" in unsupported:
        query = replace(query, sort_by=None)
    implied = organisation.implied_filters.get(resource_types[0].name) if len(resource_types) == 1 else None
    if query.filter is None:
        return query if implied is None else replace(query, tree=parse_filter(implied))
    tree = parse_filter(query.filter, bare_operands=organisation.bare_operands)
    if organisation.switches.only_equality and not equality_only(tree):
        raise ScimError(400, "A filter here is one comparison by eq.", ScimType.INVALID_FILTER)
    if implied is None or organisation.switches.inactive_found or mentions(tree, "active"):
        return replace(query, tree=tree)
    return replace(query, tree=And(terms=(tree, parse_filter(implied))))


def _matching_rows(
    directory: Directory, query: Query, resource_types: Sequence[ResourceType], asker: Asker
) -> tuple[list[Row], int]:
    """Return the rows of one page and the number of all rows that match."""
    offset, limit = query.start_index - 1, _limit(directory, query)
    _check_page(directory.organisation.switches, query, limit)
    tree = query.tree
    faulty = directory.faults.hides or _is_faulty(directory.organisation.switches)
    if tree is None and query.sort_by is None and len(resource_types) == 1 and not faulty:
        name = resource_types[0].name
        return directory.store.page(name, offset, limit), directory.store.count(name)
    key = (tuple(kind.name for kind in resource_types), query.filter, query.sort_by, query.descending, asker)
    found = directory.results.get(key, lambda: _all_matching(directory, query, resource_types, asker))
    if faulty:
        return _faulty_page(directory, found, offset, limit)
    return found[offset : offset + limit], len(found)


def _check_page(switches: Switches, query: Query, limit: int) -> None:
    if switches.refused_page is not None and limit > switches.refused_page:
        raise ScimError(429, f"A page of {limit} resources takes too many requests inside.", gateway=True)
    if switches.last_index is not None and query.start_index > switches.last_index:
        raise ScimError(400, f"Nothing behind row {switches.last_index} can be listed.", ScimType.INVALID_VALUE)


def _all_matching(
    directory: Directory, query: Query, resource_types: Sequence[ResourceType], asker: Asker
) -> list[Row]:
    """Return all rows that match, in order."""
    tests = _tests(query.tree, resource_types, directory.organisation.aliases)
    found = [
        row
        for kind in resource_types
        if kind.name in tests
        for row in _filtered(directory, kind, query.tree, tests[kind.name], asker)
    ]
    if query.sort_by is not None:
        key = _sort_key(directory, query.sort_by, resource_types, asker)
        found.sort(key=key, reverse=query.descending)
    return found


def _is_faulty(switches: Switches) -> bool:
    return switches.moving_rows > 0 or switches.beyond_end is not BeyondEnd.NOTHING


def _faulty_page(directory: Directory, rows: list[Row], offset: int, limit: int) -> tuple[list[Row], int]:
    if directory.faults.hides:
        unseen = directory.faults.unseen()
        rows = [row for row in rows if row.id not in unseen]
    if offset > 0 and rows and directory.faults.moved():
        rows = [*rows[1:], rows[0]]
    if offset >= len(rows) and directory.organisation.switches.beyond_end is BeyondEnd.FIRST_PAGE:
        offset = 0
    return rows[offset : offset + limit], len(rows)


def _without(resource: JsonObject, names: set[str]) -> JsonObject:
    """Leave out attributes, also those of extensions; an extension left empty goes, too."""
    kept: JsonObject = {}
    for name, value in resource.items():
        if name.lower().startswith("urn:") and isinstance(value, dict):
            value = {part: each for part, each in value.items() if part.lower() not in names}
            if not value:
                continue
        if name.lower() not in names:
            kept[name] = value
    return kept


def _tests(
    tree: Filter | None, resource_types: Sequence[ResourceType], aliases: Mapping[str, str]
) -> dict[str, Predicate]:
    """Compile a filter for every type that has its attributes; others match nothing (RFC 7644 section 3.4.2.1)."""
    if tree is None:
        return {kind.name: lambda _: True for kind in resource_types}
    tests: dict[str, Predicate] = {}
    refusal: ScimError | None = None
    for kind in resource_types:
        try:
            tests[kind.name] = compile_filter(tree, kind, aliases)
        except ScimError as error:
            refusal = refusal or error
    if not tests and refusal is not None:
        raise refusal
    return tests


def _filtered(
    directory: Directory, kind: ResourceType, tree: Filter | None, test: Predicate, asker: Asker
) -> list[Row]:
    rows = _candidates(directory, kind, tree)
    if tree is None:
        return rows
    representer = directory.representer
    if not any(mentions(tree, name) for name in _WORKED_OUT):
        return [row for row in rows if test(representer.view(row, asker))]
    memberships = directory.store.memberships([row.id for row in rows])
    return [row for row in rows if test(representer.resource(row, asker, memberships.get(row.id, ())))]


def _candidates(directory: Directory, kind: ResourceType, tree: Filter | None) -> list[Row]:
    unique = kind.unique_attribute
    wanted = None if tree is None or unique is None else equality_on(tree, unique)
    if wanted is None:
        return directory.store.all(kind.name)
    row = directory.store.by_unique_key(kind.name, directory.key(kind, wanted))
    return [] if row is None else [row]


def _sort_key(
    directory: Directory, path: str, resource_types: Sequence[ResourceType], asker: Asker
) -> Callable[[Row], Any]:
    """Return a key that puts resources without a value last, first when the order is turned round."""
    places: dict[str, Place] = {}
    for kind in resource_types:
        try:
            places[kind.name] = _sortable(kind.place(path), kind, path)
        except PathError:
            continue
    if not places:
        raise invalid_path(f"sortBy names {path!r}, which is not an attribute here.")

    def key(row: Row) -> tuple[bool, Any]:
        place = places.get(row.type)
        value = None if place is None else _first_value(place, directory.representer.view(row, asker))
        return value is None, "" if value is None else value

    return key


def _sortable(place: Place, kind: ResourceType, path: str) -> Place:
    if place.leaf is not None and place.leaf.type is AttributeType.COMPLEX:
        return kind.place(f"{path}.value")
    return place


def _first_value(place: Place, view: JsonObject) -> Any:
    """Return what a resource sorts by: its primary value, else its first (RFC 7644 section 3.4.2.3)."""
    attribute, leaf = place.attribute, place.leaf
    if attribute is None or leaf is None:
        return None
    whole = Place(extension=place.extension, attribute=attribute).values(view)
    chosen = next((value for value in whole if is_primary(value)), whole[0] if whole else None)
    value = chosen.get(leaf.name) if isinstance(chosen, dict) else chosen
    if not isinstance(value, str):
        return value
    if leaf.type is AttributeType.DATE_TIME:
        return instant(value).isoformat()
    return normal(value) if leaf.case_exact else fold(value)


def _limit(directory: Directory, query: Query) -> int:
    organisation = directory.organisation
    limits = [organisation.default_page if query.count is None else query.count, organisation.max_page]
    if organisation.untrimmed_page is not None and not query.attributes and not query.excluded:
        limits.append(organisation.untrimmed_page)
    if organisation.switches.page_cap is not None:
        limits.append(organisation.switches.page_cap)
    return min(limits)
