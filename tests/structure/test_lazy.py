"""What a start would pay for and few runs need comes when it is needed."""

import re

import pytest

from reconciler.lazy import pattern


def test_a_regular_expression_is_compiled_when_it_is_used() -> None:
    broken, sound = pattern("("), pattern(rb"(a+)b", re.IGNORECASE)
    found = sound.fullmatch(b"aAB")
    assert found is not None
    assert found[1] == b"aA"
    assert sound.sub(b"-", b"xaby") == b"x-y"
    assert sound.pattern == rb"(a+)b"
    with pytest.raises(re.error):
        broken.search("")
