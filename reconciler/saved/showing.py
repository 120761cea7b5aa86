"""What there is to say of saved and reviewed plans, as text: how two differ, how far one is, what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.diffing.findings import part_of
from reconciler.model import Change, Plan
from reconciler.rendering.neutral import NAME_LIMIT, neutral
from reconciler.rendering.text import render_blocks
from reconciler.rendering.view import view
from reconciler.saved.comparing import PlanDifference
from reconciler.saved.judging import Judgement, Stage
from reconciler.saved.outcome import BEGUN, DONE, SavedOutcome
from reconciler.saved.parts import Key, Part, is_whole, parts_of
from reconciler.scim.attributes import name_path


def render_difference(difference: PlanDifference, reviewed: Plan, new: Plan, *, width: int, colour: bool) -> str:
    """How a new plan differs from the reviewed one, without a line end."""
    both = replace(new, names={**reviewed.names, **new.names}, drift=(), notices=(), access=())
    ones, others = zip(*difference.different, strict=True) if difference.different else ((), ())
    sections = (
        ("Only in the reviewed plan, and not in place:", changes_of(difference.only_reviewed.values())),
        ("Only in the plan made now, which nobody has reviewed:", changes_of(difference.only_new.values())),
        ("In both, but not the same. As it was reviewed:", changes_of(ones)),
        ("As it would be done now:", changes_of(others)),
    )
    texts = [
        render_blocks(title, view(replace(both, changes=changes), verbose=True).blocks, width=width, colour=colour)
        for title, changes in sections
    ]
    texts += [
        f"{title} {', '.join(neutral(f'{each.rule}@{each.digest}: {each.summary}') for each in broken)}"
        for title, broken in (
            ("The reviewed plan broke a safety rule that this one does not:", difference.broken_reviewed),
            ("This plan breaks a safety rule that the reviewed one did not:", difference.broken_new),
        )
        if broken
    ]
    return "\n\n".join(filter(None, texts))


def changes_of(parts: Iterable[Part]) -> tuple[Change, ...]:
    """Parts put together to changes again."""
    grouped: dict[int, list[Part]] = {}
    for part in parts:
        grouped.setdefault(id(part.change), []).append(part)
    return tuple(_change(some) for some in grouped.values())


def _change(parts: list[Part]) -> Change:
    change, details = parts[0].change, [each.detail for each in parts if each.detail is not None]
    if len(parts) == len(parts_of([change])) or (is_whole(change) and len(details) < len(parts)):
        return change
    return part_of(change, details, name_path(change.address.resource_type))


def progress_text(judgements: Mapping[Key, Judgement]) -> str:
    """Such as ``Of 12 differences 10 are still to do, 1 is in place, 1 moved.``."""
    counts = Counter(each.stage for each in judgements.values())
    total, to_do, done = len(judgements), counts[Stage.TO_DO], counts[Stage.DONE]
    said = [
        f"{to_do:,} {'is' if to_do == 1 else 'are'} still to do",
        f"{done:,} {'is' if done == 1 else 'are'} in place",
        f"{counts[Stage.MOVED]:,} moved",
    ]
    return f"Of {total:,} difference{'' if total == 1 else 's'} {', '.join(said)}."


def outcome_text(outcome: SavedOutcome) -> str:
    """What became of a plan: what an apply of it did, and when."""
    at = neutral(outcome.at, NAME_LIMIT)
    if outcome.state == BEGUN:
        return f"began at {at} and has not said how it ended; apply it again for the rest"
    if outcome.state == DONE:
        return f"ended at {at}, and nothing of it is left to do"
    done = f"{outcome.done:,} of {outcome.requests:,} requests done"
    return f"ended at {at} with {done}; apply it again for the rest"
