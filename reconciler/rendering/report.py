"""How an apply ended: what was done, what failed, what was skipped and what was not tried, by address.

A change counts as what the worst of its requests came to. What a service provider says is untrusted and made neutral.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model import Address, Diagnostic, Failed, NotTried, Plan, Result, Skipped, SourceLocation, Succeeded
from reconciler.rendering.naming import address_text, place
from reconciler.rendering.neutral import neutral
from reconciler.rendering.paper import Paper, paper
from reconciler.rendering.text import remark_rows
from reconciler.rendering.view import Remark, people, remarks
from reconciler.rendering.wording import tally_done


class _Outcome(IntEnum):
    """What became of a request, the worse the higher."""

    DONE = 0
    NOT_TRIED = 1
    SKIPPED = 2
    FAILED = 3


_SIGNS: Final = {
    _Outcome.DONE: ("#", "add"),
    _Outcome.NOT_TRIED: ("#", "alarm"),
    _Outcome.SKIPPED: ("#", "alarm"),
    _Outcome.FAILED: ("!", "error"),
}


class _Entry(Struct, frozen=True, kw_only=True):
    """What became of one request, in words."""

    address: Address
    outcome: _Outcome
    text: str


def render_report(
    plan: Plan,
    results: Sequence[Result],
    unverified: Sequence[Diagnostic] = (),
    *,
    width: int,
    colour: bool,
    verbose: bool = False,
) -> str:
    """The end report of an apply, its last line the counts; that line alone if all went well and nothing is to be said.

    `results`: at most one for each operation of the plan; an operation without one was not tried. `unverified`: what
    the server holds otherwise than it was sent. Who failed or was skipped is named always, others if `verbose`.
    """
    on = paper(width, colour)
    entries = _entries(plan, results)
    worst = _worst(plan, entries)
    failed = [each for each in entries if each.outcome is not _Outcome.DONE]
    done = [address for address, outcome in worst.items() if outcome is _Outcome.DONE]
    sections = [
        _done(done, verbose, on) if failed else [],
        _section(
            "Failed:", entries, _Outcome.FAILED, verbose, on, {each.address: each.source for each in plan.changes}
        ),
        _section("Skipped, because something it needs failed:", entries, _Outcome.SKIPPED, verbose, on),
        _section("Not tried:", entries, _Outcome.NOT_TRIED, verbose, on),
        _section("Done, to be noted:", [each for each in entries if each.text], _Outcome.DONE, verbose, on),
        remark_rows("Not on the server as it was sent:", remarks(unverified, whole=True), "!", "alarm", on),
        on.paragraph(_last_line(plan, worst, len(unverified)), 0, "bold"),
    ]
    return "\n\n".join("\n".join(each) for each in sections if each)


def _entries(plan: Plan, results: Sequence[Result]) -> list[_Entry]:
    by_number = {each.number: each for each in results}
    addresses = {each.number: each.address for each in plan.operations}
    entries = [
        _entry(each.address, by_number.get(each.number) or NotTried(number=each.number, message=""), addresses)
        for each in plan.operations
    ]
    total = Counter(each.address for each in entries)
    done = Counter(each.address for each in entries if each.outcome is _Outcome.DONE)
    return [_with_share(each, done[each.address], total[each.address]) for each in entries]


def _with_share(entry: _Entry, done: int, total: int) -> _Entry:
    """Says how much of a change was done, where it was a part."""
    if entry.outcome is _Outcome.DONE or not done:
        return entry
    return replace(entry, text=f"{entry.text} ({done:,} of its {total:,} requests done)".lstrip())


def _entry(address: Address, result: Result, addresses: Mapping[int, Address]) -> _Entry:
    match result:
        case Succeeded(note=note):
            return _Entry(address=address, outcome=_Outcome.DONE, text=note)
        case Failed(message=message, status=status, unknown=unknown):
            text = f"{status}: {message}" if status else message
            doubt = " (it may have been done all the same)" if unknown else ""
            return _Entry(address=address, outcome=_Outcome.FAILED, text=text + doubt)
        case Skipped(message=message, because=because):
            cause = addresses.get(because)
            text = ", ".join(filter(None, (f"because of {cause}" if cause else "", message)))
            return _Entry(address=address, outcome=_Outcome.SKIPPED, text=text)
        case NotTried(message=message):
            return _Entry(address=address, outcome=_Outcome.NOT_TRIED, text=message)
    assert_never(result)


def _worst(plan: Plan, entries: Iterable[_Entry]) -> dict[Address, _Outcome]:
    found = {each.address: _Outcome.DONE for each in plan.changes}
    for each in entries:
        found[each.address] = max(found.get(each.address, _Outcome.DONE), each.outcome)
    return found


def _done(done: Sequence[Address], verbose: bool, on: Paper) -> list[str]:
    named = people([address_text(each) for each in sorted(done)], verbose)
    return remark_rows("Done:", [Remark(text="", about=named)] if done else [], "#", "add", on)


def _section(
    title: str,
    entries: Iterable[_Entry],
    outcome: _Outcome,
    verbose: bool,
    on: Paper,
    lines: Mapping[Address, SourceLocation | None] = MappingProxyType({}),
) -> list[str]:
    """Entries of one outcome; the same words about several addresses are said once. `lines`: where each is declared."""
    alike: dict[str, dict[Address, None]] = {}
    for each in entries:
        if each.outcome is outcome:
            alike.setdefault(each.text, {})[each.address] = None
    whole = verbose or outcome in (_Outcome.FAILED, _Outcome.SKIPPED)
    found = [
        Remark(
            text=neutral(text),
            about=people([address_text(each) for each in addresses], whole),
            place=place(lines.get(next(iter(addresses)))) if len(addresses) == 1 else "",
        )
        for text, addresses in alike.items()
    ]
    sign, style = _SIGNS[outcome]
    return remark_rows(title, found, sign, style, on)


def _last_line(plan: Plan, worst: Mapping[Address, _Outcome], unverified: int) -> str:
    done = tally_done(each for each in plan.changes if worst[each.address] is _Outcome.DONE)
    left = ", ".join(
        f"{count:,} {words}"
        for outcome, words in (
            (_Outcome.FAILED, "failed"),
            (_Outcome.SKIPPED, "skipped"),
            (_Outcome.NOT_TRIED, "not tried"),
        )
        if (count := sum(1 for each in worst.values() if each is outcome))
    )
    if left:
        return f"Apply incomplete: {done}; {left}. A new plan shows what is left."
    if unverified:
        return f"Apply complete, but not all is as it was sent: {done}."
    return f"Apply complete: {done}."
