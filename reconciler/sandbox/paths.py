"""Paths of PATCH operations (RFC 7644 section 3.5.2, figure 7): attribute, value filter, sub-attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.sandbox.errors import invalid_path
from reconciler.sandbox.filters import And, Comparison, Filter, Operator, parse_filter
from reconciler.sandbox.predicates import Predicate, compile_value_filter
from reconciler.sandbox.schema import Attribute, PathError, Place, ResourceType

# attribute path, filter with its brackets, sub-attribute; a bracket inside a quoted operand ends nothing
_FILTERED = re.compile(
    r'(?P<path>[^\[\]"\s]+)\[(?P<filter>(?:[^"\]]|"(?:[^"\\]|\\.)*")*)\](?:\.(?P<sub>[A-Za-z$][\w$-]*))?', re.DOTALL
)


class PatchPath(Struct, frozen=True, kw_only=True, eq=False):
    """The target of one operation; `selects` picks values of a multi-valued attribute, None when all are meant.

    `described` has the sub-attributes that a value needs to be picked, None when the filter says more than that.
    """

    text: str
    place: Place
    selects: Predicate | None = None
    described: Mapping[str, Any] | None = None

    @property
    def attribute(self) -> Attribute | None:
        """The attribute that the path leads to or through; None for a whole extension."""
        return self.place.attribute

    @property
    def sub_attribute(self) -> Attribute | None:
        """The sub-attribute at the end of the path, if any."""
        return self.place.sub_attribute


def parse_path(text: object, resource_type: ResourceType) -> PatchPath:
    """Return what a path means for a resource type; raises ScimError 400 invalidPath or invalidFilter."""
    if not isinstance(text, str) or not text.strip():
        raise invalid_path("path must be text that names an attribute.")
    path = text.strip()
    if "[" not in path:
        return PatchPath(text=path, place=_place(path, resource_type))
    match = _FILTERED.fullmatch(path)
    if match is None:
        raise invalid_path(f"{path!r} is not of the form attribute[filter].subAttribute.")
    place = _place(match["path"], resource_type)
    attribute = place.attribute
    if attribute is None or place.sub_attribute is not None or not attribute.multi_valued:
        raise invalid_path(f"{match['path']} is not multi-valued, so it takes no value filter.")
    tree = parse_filter(match["filter"])
    return PatchPath(
        text=path,
        place=_with_sub_attribute(place, attribute, match["sub"]),
        selects=compile_value_filter(tree, attribute),
        described=_description(tree, attribute),
    )


def _description(tree: Filter, attribute: Attribute) -> Mapping[str, Any] | None:
    """Return the one value that a filter of comparisons by eq, joined by and, describes; else None."""
    described: dict[str, Any] = {}
    for term in tree.terms if isinstance(tree, And) else (tree,):
        if not isinstance(term, Comparison) or term.operator is not Operator.EQ:
            return None
        sub_attribute = attribute.sub_attributes.get(term.path.lower())
        if sub_attribute is None:
            return None
        described[sub_attribute.name] = term.operand
    return described


def _with_sub_attribute(place: Place, attribute: Attribute, name: str | None) -> Place:
    if name is None:
        return place
    sub_attribute = attribute.sub_attributes.get(name.lower())
    if sub_attribute is None:
        raise invalid_path(f"{attribute.name} has no sub-attribute {name!r}.")
    return Place(extension=place.extension, attribute=attribute, sub_attribute=sub_attribute)


def _place(path: str, resource_type: ResourceType) -> Place:
    try:
        return resource_type.place(path)
    except PathError as error:
        raise invalid_path(f"{error}.") from error
