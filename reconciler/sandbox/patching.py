"""PATCH (RFC 7644 section 3.5.2): a document and a PatchOp body in, the document after it out.

The document that came in stays as it was, so a refused operation changes nothing. Where the RFC leaves a choice:

    path filter that matches nothing      400 noTarget, for all three operations (table 9), unless switched
    replace of values chosen by a filter  the whole value is replaced (3.5.2.3: "all matching record values")
    replace of a single complex value     sub-attributes that are not named stay
    value of a remove                     has no meaning and is not looked at
    sub-attribute of a multi-valued one   without filter, is written in all its values
"""

from __future__ import annotations

import copy
from typing import Any

from reconciler.sandbox import patchvalues
from reconciler.sandbox.errors import ScimError, ScimType, invalid_path, invalid_syntax, invalid_value, no_target
from reconciler.sandbox.patchvalues import Verb
from reconciler.sandbox.paths import PatchPath, parse_path
from reconciler.sandbox.resources import extension_members
from reconciler.sandbox.schema import Attribute, AttributeType, JsonObject, Place, ResourceType
from reconciler.sandbox.switches import MemberAdd, MemberRemove, MemberReplace, Switches
from reconciler.sandbox.values import canonical_value, folded_names, unknown_attribute

MEMBERS = "members"
_SLOT_KEYS = frozenset({"type", "authority"})
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def apply_patch(
    document: JsonObject,
    body: Any,
    resource_type: ResourceType,
    switches: Switches | None = None,
    *,
    schemas_needed: bool = True,
) -> JsonObject:
    """Return the document after all operations in their order; raises ScimError 400 at the first impossible one.

    Without `schemas_needed`, the body's `schemas` may name anything, as long as it names something.
    """
    chosen = switches or Switches()
    patched: JsonObject = copy.deepcopy(document)
    operations = _operations(body, schemas_needed=schemas_needed)
    _check_size(operations, chosen)
    patch = _Patch(patched, resource_type, chosen)
    for operation in operations:
        patch.apply(operation)
    _check_members(document, patched, chosen.members_per_group)
    return patched


def _operations(body: Any, *, schemas_needed: bool) -> list[JsonObject]:
    if not isinstance(body, dict):
        raise invalid_syntax("The body must be a JSON object.")
    members = {folded: value for folded, (_, value) in folded_names(body, "").items()}
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or not schemas or (schemas_needed and PATCH_OP not in schemas):
        raise invalid_syntax(f"schemas must name {PATCH_OP}.")
    operations = members.get("operations")
    if not isinstance(operations, list) or not operations:
        raise invalid_syntax("Operations must be a list of at least one operation.")
    return [_operation(operation) for operation in operations]


def _check_size(operations: list[JsonObject], switches: Switches) -> None:
    most = switches.operations_per_patch
    if most is not None and len(operations) > most:
        raise ScimError(400, f"A PATCH has at most {most} operations.", ScimType.TOO_MANY)
    most = switches.members_per_patch
    if most is not None and sum(map(_member_count, operations)) > most:
        raise ScimError(400, f"A PATCH names at most {most} members.", ScimType.TOO_MANY)


def _check_members(before: JsonObject, after: JsonObject, most: int | None) -> None:
    held, now = (len(each.get(MEMBERS, ())) for each in (before, after))
    if most is not None and now > max(most, held):
        raise ScimError(400, f"A group has at most {most} members.", ScimType.TOO_MANY)


def _member_count(operation: JsonObject) -> int:
    path, value = operation.get("path"), operation.get("value")
    if path is None:
        members = value.items() if isinstance(value, dict) else ()
        return sum(len(each) for name, each in members if name.lower() == MEMBERS and isinstance(each, list))
    if not str(path).lower().startswith(MEMBERS):
        return 0
    return len(value) if isinstance(value, list) else 1


def _operation(operation: Any) -> JsonObject:
    if not isinstance(operation, dict):
        raise invalid_syntax("Every operation must be an object.")
    members = {folded: value for folded, (_, value) in folded_names(operation, "").items()}
    unknown = set(members) - {"op", "path", "value"}
    if unknown:
        raise invalid_syntax(f"An operation has op, path and value, not {', '.join(sorted(unknown))}.")
    return members


class _Patch:
    """One PATCH under way: the document it changes and what it goes by."""

    def __init__(self, document: JsonObject, resource_type: ResourceType, switches: Switches) -> None:
        self._document = document
        self._resource_type = resource_type
        self._switches = switches
        self._merged = {name.lower() for name in switches.replace_merges}
        self._unremovable = {name.lower() for name in switches.unremovable}

    def apply(self, operation: JsonObject) -> None:
        name = operation.get("op")
        try:
            verb = Verb(name.lower() if isinstance(name, str) else "")
        except ValueError as error:
            raise invalid_syntax(f"op must be add, remove or replace, not {name!r}.") from error
        path = operation.get("path")
        if verb is Verb.REMOVE:
            if path is None:
                raise no_target("remove needs a path.")
            self._remove(parse_path(path, self._resource_type))
            return
        if "value" not in operation or (verb is Verb.ADD and operation["value"] is None):
            raise invalid_value(f"{verb} needs a value.")
        if path is None:
            self._write_members(operation["value"], verb)
        else:
            self._write(parse_path(path, self._resource_type), operation["value"], verb)

    def _write_members(self, value: Any, verb: Verb) -> None:
        """Without a path, the value is a partial resource, written member by member; their names may be paths."""
        if not isinstance(value, dict):
            raise invalid_value(f"{verb} without a path needs an object of attributes.")
        for folded, (name, member) in folded_names(value, "").items():
            if folded == "schemas" or (member is None and verb is Verb.ADD):
                continue
            if folded.partition(".")[0] not in self._resource_type.attributes and not folded.startswith("urn:"):
                raise unknown_attribute(name)
            self._write(parse_path(name, self._resource_type), member, verb)

    def _write(self, path: PatchPath, value: Any, verb: Verb) -> None:
        attribute = path.attribute
        if attribute is None:
            self._write_extension(path, value, verb)
            return
        patchvalues.check_writable(path)
        self._check_filter(path)
        document = self._document
        if path.selects is not None:
            patchvalues.write_selected(document, path, value, verb, creates=self._switches.missing_slot_created)
        elif path.sub_attribute is not None:
            patchvalues.write_sub_attribute(document, path, value)
        elif attribute.multi_valued:
            patchvalues.write_list(document, path, *self._bent(attribute, value, verb))
        elif attribute.type is AttributeType.COMPLEX:
            patchvalues.write_object(document, path, value)
        else:
            patchvalues.assign(document, path, canonical_value(attribute, value, path.text))

    def _write_extension(self, path: PatchPath, value: Any, verb: Verb) -> None:
        urn = path.place.extension or ""
        if value is None:
            self._document.pop(urn, None)
            return
        if not isinstance(value, dict):
            raise invalid_value(f"{urn} needs an object of attributes.")
        for folded, (name, member) in extension_members(value, urn).items():
            attribute = self._resource_type.extensions[urn].attributes.get(folded)
            if attribute is None:
                raise unknown_attribute(f"{urn}:{name}")
            if attribute.read_only or (member is None and verb is Verb.ADD):
                continue
            place = Place(extension=urn, attribute=attribute)
            self._write(PatchPath(text=f"{urn}:{attribute.name}", place=place), member, verb)

    def _bent(self, attribute: Attribute, value: Any, verb: Verb) -> tuple[Any, Verb]:
        """Return value and verb as switches change them for a whole list."""
        switches = self._switches
        if attribute.name == MEMBERS and verb is Verb.ADD and switches.member_add is MemberAdd.REPLACES:
            return value, Verb.REPLACE
        if attribute.name == MEMBERS and verb is Verb.REPLACE and switches.member_replace is MemberReplace.EMPTIES:
            return [], verb
        if attribute.name.lower() in self._merged and verb is Verb.REPLACE:
            return value, Verb.ADD
        return value, verb

    def _check_filter(self, path: PatchPath) -> None:
        if path.selects is None or not self._switches.only_slot_filters or _name(path) == MEMBERS:
            return
        if path.described is None or not set(path.described) <= _SLOT_KEYS:
            raise invalid_path(f"{path.text!r}: a value filter asks for type or authority here.")

    def _remove(self, path: PatchPath) -> None:
        self._check_filter(path)
        if _name(path).lower() in self._unremovable:
            return
        if _name(path) == MEMBERS and path.selects is not None:
            if self._switches.member_remove is MemberRemove.IGNORED:
                return
            if self._switches.member_remove is MemberRemove.REFUSED:
                raise invalid_path(f"{path.text!r}: members take no value filter.")
        patchvalues.remove(self._document, path)


def _name(path: PatchPath) -> str:
    return "" if path.attribute is None else path.attribute.name
