"""Simple values against the data types of RFC 7643 section 2.3, also those no packaged schema has for clients."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox.errors import ScimError
from reconciler.sandbox.schema import Attribute, AttributeType
from reconciler.sandbox.values import canonical_value

TYPES: dict[AttributeType, tuple[list[Any], list[Any]]] = {
    AttributeType.STRING: (["", "x"], [1, True, {}, ["x"]]),
    AttributeType.BOOLEAN: ([True, False], ["true", 1, 0]),
    AttributeType.DECIMAL: ([1, 1.5, -0.0], ["1", True]),
    AttributeType.INTEGER: ([0, -7], [1.0, "1", False]),
    AttributeType.DATE_TIME: (
        ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+01:00", "2026-01-02T03:04:05"],
        ["2026-01-02", "yesterday", 20260102, "2026-13-02T03:04:05Z"],
    ),
    AttributeType.REFERENCE: (["https://x.example", "../Users/1"], [5]),
    AttributeType.BINARY: (["QUJD", ""], ["QUJ", "QUJD%", 5]),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_value_has_the_type_of_its_attribute(kind: AttributeType) -> None:
    attribute = Attribute(name="it", type=kind)
    good, bad = TYPES[kind]
    for value in good:
        assert canonical_value(attribute, value, "it") == value
    for value in bad:
        with pytest.raises(ScimError, match="it needs a value of type") as caught:
            canonical_value(attribute, value, "it")
        assert caught.value.scim_type == "invalidValue"


def test_lists_of_simple_values_keep_each_once() -> None:
    attribute = Attribute(name="it", multi_valued=True)
    assert canonical_value(attribute, ["a", None, "b", "a"], "it") == ["a", "b"]
    assert canonical_value(attribute, [None], "it") is None


def test_required_sub_attributes_are_asked_for() -> None:
    parts = {"value": Attribute(name="value", required=True), "type": Attribute(name="type")}
    attribute = Attribute(name="it", type=AttributeType.COMPLEX, sub_attributes=parts)
    assert canonical_value(attribute, {"VALUE": "x"}, "it") == {"value": "x"}
    with pytest.raises(ScimError, match=r"it\.value is required"):
        canonical_value(attribute, {"type": "x"}, "it")
