"""The sentences of a plan. Numbers have separators, names are neutral; nothing here is laid out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from reconciler.model import (
    Action,
    AttributeChange,
    Cause,
    Change,
    Origin,
    PatchOp,
    Plan,
    ResourceType,
    Split,
    Violation,
)
from reconciler.rendering.folding import Group
from reconciler.rendering.naming import origin_text, place, plural
from reconciler.rendering.neutral import NAME_LIMIT, neutral, quoted

HERE_TITLE: Final = "This pull request:"
EARLIER: Final = "left from earlier merges"
EARLIER_TITLE: Final = "Left from earlier merges, whatever becomes of this pull request:"
DRIFT_HEADER: Final = "Changed on the server by other hands, not part of this plan (apply --drift puts it right):"
_CAUSES: Final = {
    Cause.LEFTOVER: "announced before, not in place yet",
    Cause.DUE: "due today",
    Cause.DRIFT: "changed on the server by other hands",
}

_DONE: Final = {
    Action.DELETE: "deleted",
    Action.DEACTIVATE: "deactivated",
    Action.CREATE: "created",
    Action.REACTIVATE: "reactivated",
    Action.RENAME: "renamed",
    Action.UPDATE: "updated in place",
}
_TALLY: Final = {
    Action.CREATE: ("add", "added"),
    Action.UPDATE: ("change", "changed"),
    Action.DELETE: ("destroy", "destroyed"),
    Action.DEACTIVATE: ("deactivate", "deactivated"),
    Action.REACTIVATE: ("reactivate", "reactivated"),
    Action.RENAME: ("rename", "renamed"),
}


@cache
def main_action(actions: tuple[Action, ...]) -> Action:
    """The weightiest of the actions of a change; a change is counted under it alone."""
    return next((each for each in _DONE if each in actions), Action.UPDATE)


@cache
def predicate(actions: tuple[Action, ...]) -> str:
    """``will be renamed and updated in place``."""
    words = [word for action, word in _DONE.items() if action in actions] or [_DONE[Action.UPDATE]]
    joined = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
    return f"will be {joined}"


def header(plan: Plan) -> str:
    """The first line of a plan; empty if it changes nothing."""
    if not plan.changes:
        return ""
    where = f"on target {quoted(plan.target)} (profile {neutral(plan.profile, NAME_LIMIT)})"
    if plan.violations:
        return f"reconciler would perform these actions {where}, but a safety rule forbids it (see the end):"
    return f"reconciler will perform these actions {where}:"


def summary(plan: Plan) -> str:
    """``Plan: 1 to add, 288 to change, 0 to destroy; 1 to deactivate.``, or that there is nothing to do."""
    if plan.changes:
        return f"Plan: {tally(plan.changes)}."
    state = _state(plan)
    if plan.drift or plan.refused or plan.violations:
        return f"No changes to make on target {quoted(plan.target)}{state}."
    return f"No changes. Target {quoted(plan.target)} matches the declarations{state}."


def in_total(plans: Sequence[Plan], without: Sequence[str]) -> str:
    """``2 targets: 1 to add, 2 to change, 0 to destroy. No plan for "us".``: the plans of one run in one line."""
    count = f"{len(plans)} target{'' if len(plans) == 1 else 's'}"
    said = f"{count}: {tally([each for plan in plans for each in plan.changes])}." if plans else ""
    missing = f"No plan for {', '.join(quoted(each) for each in without)}." if without else ""
    return " ".join(filter(None, (said, missing)))


def requests(plan: Plan) -> str:
    """``291 requests, about 1 minute at 300 a minute.``; empty if there are none."""
    if not plan.requests:
        return ""
    count = f"{plan.requests:,} request{'' if plan.requests == 1 else 's'}"
    if not plan.requests_per_minute:
        return f"{count}."
    return f"{count}, {_duration(plan.requests / plan.requests_per_minute)} at {plan.requests_per_minute:,} a minute."


def divided(split: Split) -> str:
    """``Against main: 3 changes come with this pull request, 2 are left from earlier merges.``."""
    here, earlier = len(split.here), len(split.earlier)
    ours = f"{here:,} change{'' if here == 1 else 's'} come{'s' if here == 1 else ''} with this pull request"
    theirs = f"{earlier:,} {'is' if earlier == 1 else 'are'} {EARLIER}"
    if not here:
        ours = "nothing comes with this pull request"
    return f"Against {neutral(split.base, NAME_LIMIT)}: {ours}{f', {theirs}' if earlier else ''}."


def at_merge(plan: Plan) -> str:
    """What a merge brings about, in a sentence; empty if there is nothing to bring about."""
    if plan.violations:
        return "Merged as it stands, this changes nothing: apply stops at the safety rule."
    if not plan.changes:
        return ""
    count = len(plan.changes)
    return f"At merge, apply makes {'this change' if count == 1 else f'these {count:,} changes'} and no other."


def tally(changes: Iterable[Change]) -> str:
    """``1 to add, 288 to change, 0 to destroy; 1 to deactivate``: Terraform's three always, ours where not 0."""
    return _counted(changes, {action: f"to {words[0]}" for action, words in _TALLY.items()})


def tally_done(changes: Iterable[Change]) -> str:
    """``1 added, 288 changed, 0 destroyed; 1 deactivated``."""
    return _counted(changes, {action: words[1] for action, words in _TALLY.items()})


def aside(group: Group, uniform: bool) -> str:
    """Why, and where it was written: what stands beside the heading of a block."""
    change = group.first
    reason, where = neutral(change.reason), _whence(group)
    parts = [reason]
    if not reason or where.partition(":")[0] not in reason:
        parts.append(where)
    if uniform and (change.cause is Cause.LEFTOVER or not reason):
        parts.append(_CAUSES.get(change.cause, ""))
    return ", ".join(filter(None, parts))


def notes(change: AttributeChange, *, cause: bool, via: bool) -> str:
    """What stands in parentheses behind a difference. `cause`, `via`: whether to say why and from which layer."""
    if change.cause is Cause.DECLARED and not (change.notes or change.until or via):
        return ""
    found = [neutral(each) for each in change.notes]
    day = _day(change)
    if cause and not (day and change.cause is Cause.DUE):
        found.append(_CAUSES.get(change.cause, ""))
    found.append(day)
    if via and change.origin and change.origin.via:
        found.append(neutral(change.origin.via, NAME_LIMIT))
    return "; ".join(filter(None, found))


def acceptance(violation: Violation) -> str:
    """The line of acceptances.yaml that lifts a rule; empty if `mend` holds it, or the rule cannot be accepted."""
    if not violation.digest or violation.digest in violation.mend:
        return ""
    rule, digest = neutral(violation.rule, NAME_LIMIT), neutral(violation.digest, NAME_LIMIT)
    return f'- {{rule: {rule}, digest: {digest}, reason: "…"}}'


def common_origin(change: Change) -> Origin | None:
    """Where all differences of a change were written, if that is one place."""
    if not change.attribute_changes:
        return None
    first = change.attribute_changes[0].origin
    return first if all(each.origin == first for each in change.attribute_changes) else None


def _whence(group: Group) -> str:
    change = group.first
    if Action.CREATE not in change.actions and (origin := common_origin(change)):
        return origin_text(origin)
    if not group.folds:
        return place(change.source)
    files = {each.source.path for each in group.changes if each.source}
    if len(files) > 1:
        return f"{len(files):,} files"
    return neutral(files.pop(), NAME_LIMIT) if files else ""


def _counted(changes: Iterable[Change], words: Mapping[Action, str]) -> str:
    counts = Counter(main_action(each.actions) for each in changes)
    three = (Action.CREATE, Action.UPDATE, Action.DELETE)
    always = ", ".join(f"{counts[each]:,} {words[each]}" for each in three)
    more = ", ".join(f"{counts[each]:,} {word}" for each, word in words.items() if each not in three and counts[each])
    return f"{always}; {more}" if more else always


def _day(change: AttributeChange) -> str:
    """What the date of a membership or of a due change says."""
    if not change.until:
        return ""
    day = neutral(change.until, NAME_LIMIT)
    if change.op is PatchOp.REMOVE:
        return f"last day was {day}"
    return f"due today, {day}" if change.cause is Cause.DUE else f"until {day}"


def _state(plan: Plan) -> str:
    counted = ", ".join(plural(plan.matched[each], each) for each in ResourceType if each in plan.matched)
    others = ""
    if plan.unmanaged:
        ours = "identity is" if plan.unmanaged == 1 else "identities are"
        others = f"{plan.unmanaged:,} live {ours} not ours"
    found = "; ".join(filter(None, (counted, others)))
    return f" ({found})" if found else ""


def _duration(minutes: float) -> str:
    if minutes < 0.25:
        return "a few seconds"
    if minutes < 0.75:
        return "about half a minute"
    if minutes < 1.5:
        return "about 1 minute"
    if minutes < 90:
        return f"about {minutes:.0f} minutes"
    hours = f"{minutes / 60:.1f}".removesuffix(".0")
    return f"about {hours} hours"
