"""One entry of the record as JSON: the line in its shard, and the line in pending.jsonl. Pure; no bytes, no files.

An entry that was only announced has no line in a shard: a run that claims a record adds pending.jsonl and leaves the
shards as they were. Then the announcement carries the entry's source commit.

::

    {"address": "user.alice.ng", "id": "2819c223", "source": "1a2b…",
     "applied": {"values": {"title": "Agent"}, "lists": {"roles": {"Agent": {}}}},
     "modes": {"roles": "additive"}, "dates": {"endsOn": "2031-03-31"}}
    {"address": "user.alice.ng", "values": {"title": "Lead"},
     "give": {"roles": {"Lead": {}}}, "take": {"roles": ["Agent"]}}
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from reconciler.model import (
    Address,
    AppliedDates,
    AppliedItem,
    AppliedList,
    AppliedResource,
    Json,
    ListMode,
    LiveReference,
    Pending,
    ResourceType,
    Value,
)

_ADDRESS: Final = "$address"
_LIVE: Final = "$live"
_JSON: Final = "$json"


class Damage(Exception):
    """A line that nobody wrote like this; the text says what is wrong with it, without any of its values."""


def has_line(entry: AppliedResource) -> bool:
    """Whether an entry needs a line in its shard, beside what is announced about it."""
    announced = AppliedResource(address=entry.address, live_id=None, source=entry.source, pending=entry.pending)
    return entry != announced or not has_announcement(entry)


def has_announcement(entry: AppliedResource) -> bool:
    """Whether an entry needs a line in pending.jsonl."""
    return entry.pending != Pending()


def entry_line(entry: AppliedResource) -> dict[str, Json]:
    """What was applied to one address. `seen` is written only where it is true, dates only where there are some."""
    applied: Json = {
        "values": {path: _value_json(value) for path, value in entry.values.items()},
        "lists": {name: _items_json(held.items) for name, held in entry.lists.items()},
    }
    modes: Json = {name: str(held.mode) for name, held in entry.lists.items() if held.mode is not None}
    line: dict[str, Json] = {"address": str(entry.address), "id": entry.live_id, "source": entry.source}
    line |= {"applied": applied, "modes": modes, "dates": _dates_json(entry.dates)}
    return line | {"seen": True} if entry.seen else line


def pending_line(entry: AppliedResource) -> dict[str, Json]:
    """What was announced about one address."""
    pending = entry.pending
    line: dict[str, Json] = {"address": str(entry.address)}
    if pending.values:
        line["values"] = {path: _value_json(value) for path, value in pending.values.items()}
    if pending.give:
        line["give"] = {name: _items_json(items) for name, items in pending.give.items()}
    if pending.take:
        line["take"] = {name: sorted(items) for name, items in pending.take.items()}
    if pending.delete:
        line["delete"] = True
    if pending.leaving:
        line["leaving"] = True
    if entry.source is not None and not has_line(entry):
        line["source"] = entry.source
    return line


def read_entry(data: object) -> AppliedResource:
    """The entry of a shard's line, nothing announced. Damage if the line is not one that `entry_line` gives."""
    line = mapping_of(data, "the line")
    _only(line, ("address", "id", "source", "applied", "modes", "dates", "seen"))
    applied = mapping_of(line.get("applied"), "applied")
    _only(applied, ("values", "lists"))
    return AppliedResource(
        address=_address(line.get("address")),
        live_id=text_or_none(line.get("id"), "id"),
        source=text_or_none(line.get("source"), "source"),
        values=_values(applied.get("values")),
        lists=_lists(mapping_of(applied.get("lists"), "lists"), mapping_of(line.get("modes"), "modes")),
        dates=_dates(mapping_of(line.get("dates"), "dates")),
        seen=_flag(line, "seen"),
    )


def read_pending(data: object) -> AppliedResource:
    """The announcement of one line, as an entry that holds nothing else. Damage as in `read_entry`."""
    line = mapping_of(data, "the line")
    _only(line, ("address", "values", "give", "take", "delete", "leaving", "source"))
    pending = Pending(
        values=_values(line.get("values", {})),
        give={name: _items(items) for name, items in mapping_of(line.get("give", {}), "give").items()},
        take={name: _names(items) for name, items in mapping_of(line.get("take", {}), "take").items()},
        delete=_flag(line, "delete"),
        leaving=_flag(line, "leaving"),
    )
    if pending == Pending():
        raise Damage("nothing is announced")
    source = text_or_none(line.get("source"), "source")
    return AppliedResource(address=_address(line.get("address")), live_id=None, source=source, pending=pending)


# --- values


def _value_json(value: Value) -> Json:
    """JSON stays as it is; a reference is a mapping with one reserved key, and a mapping that looks so is wrapped."""
    match value:
        case Address():
            return {_ADDRESS: str(value)}
        case LiveReference(resource_type=resource_type, name=name):
            return {_LIVE: [str(resource_type), name]}
        case Mapping() if _reserved(value) is not None:
            return {_JSON: value}
        case _:
            return value


def _value(data: object) -> Value:
    reserved = _reserved(data) if isinstance(data, Mapping) else None
    match reserved, data:
        case None, _:
            return data  # type: ignore[return-value]  # what orjson reads is Json
        case "$address", {"$address": text}:
            return _address(text)
        case "$live", {"$live": [str(kind), str(name)]} if kind in tuple(ResourceType):
            return LiveReference(ResourceType(kind), name)
        case "$json", {"$json": dict(inner)}:
            return inner
        case _:
            raise Damage("a value of an unknown sort")


def _reserved(value: Mapping[str, object]) -> str | None:
    """The one key of a mapping, if it begins as ours do."""
    keys = tuple(value)
    return keys[0] if len(keys) == 1 and keys[0].startswith("$") else None


def _values(data: object) -> dict[str, Value]:
    return {path: _value(value) for path, value in mapping_of(data, "values").items()}


def _address(data: object) -> Address:
    try:
        return Address.parse(data if isinstance(data, str) else "")
    except ValueError as error:
        raise Damage("address is not an address") from error


# --- lists and dates


def _lists(lists: Mapping[str, object], modes: Mapping[str, object]) -> dict[str, AppliedList]:
    _only(modes, lists)
    return {
        name: AppliedList(
            mode=_mode(modes[name]) if name in modes else None,
            items=_items(items),
        )
        for name, items in lists.items()
    }


def _mode(data: object) -> ListMode:
    for mode in ListMode:
        if data == mode:
            return mode
    raise Damage("a mode that does not exist")


def _items_json(items: Mapping[str, AppliedItem]) -> Json:
    return {item: _item_json(claim) for item, claim in items.items()}


def _item_json(claim: AppliedItem) -> Json:
    line: dict[str, Json] = {} if claim.until is None else {"until": claim.until}
    return line if claim.live is None else {**line, "live": claim.live}


def _items(data: object) -> dict[str, AppliedItem]:
    return {item: _item(claim) for item, claim in mapping_of(data, "a list").items()}


def _item(data: object) -> AppliedItem:
    claim = mapping_of(data, "an item")
    _only(claim, ("until", "live"))
    return AppliedItem(until=_day_or_none(claim.get("until"), "until"), live=text_or_none(claim.get("live"), "live"))


def _names(data: object) -> frozenset[str]:
    if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
        raise Damage("a list holds something else than names")
    return frozenset(data)


def _dates_json(dates: AppliedDates) -> dict[str, Json]:
    written: dict[str, Json] = {
        "startsOn": dates.starts_on,
        "endsOn": dates.ends_on,
        "deleteAfter": dates.delete_after,
    }
    return {name: value for name, value in written.items() if value is not None}


def _dates(data: Mapping[str, object]) -> AppliedDates:
    _only(data, ("startsOn", "endsOn", "deleteAfter"))
    days = data.get("deleteAfter")
    if days is not None and (type(days) is not int or days < 0):
        raise Damage("deleteAfter is not a number of days")
    return AppliedDates(
        starts_on=_day_or_none(data.get("startsOn"), "startsOn"),
        ends_on=_day_or_none(data.get("endsOn"), "endsOn"),
        delete_after=days,
    )


# --- shapes


def mapping_of(data: object, name: str) -> Mapping[str, object]:
    """The value if it is a JSON object; Damage otherwise."""
    if not isinstance(data, dict):
        raise Damage(f"{name} is not a JSON object")
    return data


def text_or_none(data: object, name: str) -> str | None:
    """The value if it is text or null; Damage otherwise."""
    if data is None or isinstance(data, str):
        return data
    raise Damage(f"{name} is not text")


def _day_or_none(data: object, name: str) -> str | None:
    """A day as YYYY-MM-DD, in which form days are compared; Damage for any other text."""
    text = text_or_none(data, name)
    try:
        if text is None or date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise Damage(f"{name} is not a day")


def _flag(line: Mapping[str, object], name: str) -> bool:
    value = line.get(name, False)
    if not isinstance(value, bool):
        raise Damage(f"{name} is neither true nor false")
    return value


def _only(data: Mapping[str, object], known: Sequence[str] | Mapping[str, object]) -> None:
    """A key that nobody knows may change what the others mean, so it is not passed over."""
    for name in data:
        if name not in known:
            raise Damage("a key that this version does not know")
