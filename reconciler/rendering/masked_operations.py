"""Requests as others may read them: which, about whom and about which attributes; nothing of what is sent."""

from collections.abc import Callable
from typing import assert_never

from msgspec.structs import replace

from reconciler.model import Address, CreateResource, DeleteResource, Json, Operation, PatchResource


def masked_operation(
    operation: Operation, address: Callable[[Address], Address], names: Callable[[str], str], word: str
) -> Operation:
    """The operation with `word` for every text and number that would be sent."""
    whom = address(operation.address)
    match operation:
        case CreateResource(body=body):
            return replace(operation, address=whom, body={name: _masked(each, word) for name, each in body.items()})
        case PatchResource(operations=parts):
            masked = [replace(each, path=names(each.path), value=_masked(each.value, word)) for each in parts]
            return replace(operation, address=whom, live_id=names(operation.live_id), operations=tuple(masked))
        case DeleteResource():
            return replace(operation, address=whom, live_id=names(operation.live_id))
        case _:
            assert_never(operation)


def _masked(value: Json, word: str) -> Json:
    match value:
        case None | bool():
            return value
        case dict():
            return {name: _masked(each, word) for name, each in value.items()}
        case list():
            return [_masked(each, word) for each in value]
        case _:
            return word
