"""Names that must exist on the server and look like a slip of the pen. They are spoken of, and planned all the same.

Nobody lists the roles, divisions and skills there are, so all that shows them is what people have: a name that nobody
has may be new. Only where somebody has one very much like it is it said before the server refuses it.
"""

from collections.abc import Iterable, Iterator

from reconciler.diffing.ground import Ground
from reconciler.model import Address, AttributeChange, LiveState, PatchOp, ResourceType
from reconciler.scim.attributes import Attribute
from reconciler.scim.paths import short_path

_ALIKE = 0.85
"""From 0 to 1, by `difflib`: one letter in eight."""


def speak_of_slips(ground: Ground) -> None:
    """A notice for each name that is to be given, that nobody has, and that is nearly one that somebody has."""
    rules = ground.situation.profile.users
    for attribute in (each for each in rules.table.attributes if each.name in rules.existing):
        given: dict[str, Address] = {}
        for address, name in _given(ground, attribute):
            given.setdefault(name, address)
        unknown = [each for each in given if not _is_held(each, attribute, ground.situation.live)]
        held = set(_held(attribute, ground.situation.live)) if unknown else set[str]()
        for name in unknown:
            if near := _most_like(name, held):
                ground.notice(
                    "name-like-another",
                    f'{short_path(attribute.path)}: nobody on the server has "{name}", and somebody has "{near}"',
                    "check the spelling: what the server does not have by exactly this name cannot be given",
                    ground.situation.desired.resources.get(given[name]),
                )


def _given(ground: Ground, attribute: Attribute) -> Iterator[tuple[Address, str]]:
    for finding in ground.differences.findings:
        for change in finding.changes:
            name = _name_in(change) if change.path == attribute.path else None
            if name is not None:
                yield finding.address, name


def _name_in(change: AttributeChange) -> str | None:
    if change.op is PatchOp.REMOVE:
        return None
    if change.item is not None:
        return change.item
    return change.after if isinstance(change.after, str) else None


def _is_held(name: str, attribute: Attribute, live: LiveState) -> bool:
    return any(name == each for each in _held(attribute, live))


def _held(attribute: Attribute, live: LiveState) -> Iterator[str]:
    for resource in live.of(ResourceType.USER):
        if attribute.is_list:
            yield from resource.lists.get(attribute.name, ())
        elif isinstance(value := resource.attributes.get(attribute.path), str):
            yield value


def _most_like(name: str, held: Iterable[str]) -> str | None:
    """The held name with the same letters in another spelling, or with the same digits and hardly other letters."""
    # nearly no run has such a name, and none should wait for the module
    from difflib import get_close_matches

    by_letters = {_letters(each): each for each in sorted(held) if _digits(each) == _digits(name)}
    close = get_close_matches(_letters(name), by_letters, n=1, cutoff=_ALIKE)
    return by_letters[close[0]] if close else None


def _letters(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())


def _digits(name: str) -> str:
    return "".join(each for each in name if each.isdigit())
