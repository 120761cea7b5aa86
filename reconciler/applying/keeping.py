"""What the server did not keep although it answered yes, and the line of the settings that says so. Pure.

Reads two plans: the one that was carried out, and the one that would be needed still.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model import (
    Action,
    AttributeChange,
    Change,
    CreateResource,
    Diagnostic,
    PatchOp,
    Plan,
    ResourceType,
    Result,
    Severity,
    Succeeded,
    Value,
    is_known,
)
from reconciler.profiles.loading import GROUP_PREFIX
from reconciler.profiles.profile import AttributeRules, Profile
from reconciler.scim.attributes import Kind, name_path
from reconciler.scim.paths import element_of, short_path

_WHOLE = {Action.CREATE: "not there", Action.DELETE: "still there"}
_FEW_ELEMENTS = 2
"""So many elements of one attribute are named one by one."""
_SHOWN = 60
"""Characters of a value that a message shows."""


def not_kept(left: Iterable[Change], plan: Plan, results: Sequence[Result], profile: Profile) -> tuple[Diagnostic, ...]:
    """A diagnostic for each resource on which something is still needed that was sent and answered with success.

    `left`: what a plan made afterwards would do. Who waits for somebody that could not be created is no fault of the
    server's, and neither is what was refused.
    """
    numbers = {each.number for each in results if isinstance(each, Succeeded)}
    done = {each.address for each in plan.operations if each.number in numbers}
    failed = {each.address for each in plan.operations if each.number not in numbers}
    created = {each.address for each in plan.operations if isinstance(each, CreateResource)}
    planned = {change.address: change for change in plan.changes}
    found = []
    for change in left:
        if change.address in done - failed:
            if whole := _WHOLE.keys() & set(change.actions) & set(planned[change.address].actions):
                found.append(_not_done(change, _WHOLE[whole.pop()]))
                continue
            sent = {_aim(each) for each in planned[change.address].attribute_changes}
            lost = [each for each in change.attribute_changes if _aim(each) in sent and _could_be(each)]
            if lost:
                found.append(_diagnostic(change, lost, plan.names, profile))
            elif change.address in created and (given := [each for each in change.attribute_changes if _clears(each)]):
                found.append(_given(change, given))
    return tuple(found)


def _not_done(change: Change, what: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-kept",
        summary=f"the server answered yes, and it is {what}",
        mend="apply again; if it stays so, ask the provider why",
        address=change.address,
        source=change.source,
    )


def _clears(change: AttributeChange) -> bool:
    return change.item is None and change.after is None and change.before is not None


def _given(change: Change, given: Sequence[AttributeChange]) -> Diagnostic:
    """A new account got by itself what is declared to be empty; a create has no way to say so."""
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-kept",
        summary="; ".join(
            f"the server gave {short_path(each.path)} by itself: {_shown(each.before)}" for each in given
        ),
        mend="apply again: it is cleared then",
        address=change.address,
        source=change.source,
    )


def _aim(change: AttributeChange) -> tuple[str, str | None, bool]:
    """What a change is about. Giving a list value and taking it are two: what was given may be due to go next."""
    return (change.path, change.item, change.item is not None and change.op is PatchOp.REMOVE)


def _could_be(change: AttributeChange) -> bool:
    return change.item is None or is_known(change.item)


def _diagnostic(
    change: Change, lost: Sequence[AttributeChange], names: Mapping[str, tuple[str, str]], profile: Profile
) -> Diagnostic:
    dropped = dict.fromkeys(_what(each, names) for each in lost if each.item is not None or each.before is None)
    said = [f"the server answered yes and did not keep {', '.join(dropped)}"] if dropped else []
    said += [_rewritten(each) for each in lost if each.item is None and each.before is not None]
    return Diagnostic(
        severity=Severity.ERROR,
        code="not-kept",
        summary="; ".join(said),
        mend="; ".join(_mends(change, lost, profile)),
        address=change.address,
        source=change.source,
    )


def _what(change: AttributeChange, names: Mapping[str, tuple[str, str]]) -> str:
    if change.item is None:
        return short_path(change.path)
    return f"{short_path(change.path)} ({names.get(change.item, (change.item,))[0]})"


def _rewritten(change: AttributeChange) -> str:
    path, kept = short_path(change.path), _shown(change.before)
    if change.after is None:
        return f"{path} was cleared, and the server kept {kept}"
    return f"{path} was sent as {_shown(change.after)}, and the server kept {kept}"


def _shown(value: Value) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _mends(change: Change, lost: Sequence[AttributeChange], profile: Profile) -> Iterator[str]:
    rules = profile.rules(change.address.resource_type)
    stored = [
        each
        for each in lost
        if each.path != name_path(change.address.resource_type) and not _is_membership(each, rules)
    ]
    names = _settings_names(stored, rules)
    if missing := [_named(each) for each in lost if _is_a_name(each, rules)]:
        yield f"check that the server has this, by exactly this name: {', '.join(missing)}"
    if rights := _rights(change, lost, profile):
        yield f"check that the credential has {' and '.join(rights)}"
    if names:
        prefix = GROUP_PREFIX if change.address.resource_type is ResourceType.GROUP else ""
        listed = ", ".join(sorted(_yaml(prefix + each) for each in names))
        yield f"if this server is like that: notStored: [{listed}] in the target's settings"
    if any(_is_membership(each, rules) for each in lost):
        if any(each.op is not PatchOp.REMOVE for each in lost):
            yield "if this server does not take such members, take their lines out"
        else:
            yield "take them out on the server"
    if not names and any(each.path == name_path(change.address.resource_type) for each in lost):
        yield "write the name as the server keeps it"


def _rights(change: Change, lost: Sequence[AttributeChange], profile: Profile) -> list[str]:
    """What it takes to write what was passed over, where that is a right of its own."""
    rules, rights = profile.rules(change.address.resource_type), profile.wire.rights
    owners = (rules.table.by_path(each.path) for each in lost)
    return list(dict.fromkeys(rights[each.name] for each in owners if each is not None and each.name in rights))


def _named(change: AttributeChange) -> str:
    return f"{short_path(change.path)} ({change.item if change.item is not None else change.after})"


def _is_a_name(change: AttributeChange, rules: AttributeRules) -> bool:
    """Whether something was to be had that must exist on the server's side."""
    attribute = rules.table.by_path(change.path)
    gives = change.after is not None if change.item is None else change.op is not PatchOp.REMOVE
    whole = change.item is not None or attribute is None or change.path == attribute.path
    return attribute is not None and attribute.name in rules.existing and gives and whole


def _is_membership(change: AttributeChange, rules: AttributeRules) -> bool:
    attribute = rules.table.by_path(change.path)
    return attribute is not None and attribute.kind is Kind.MEMBERS


def _settings_names(lost: Sequence[AttributeChange], rules: AttributeRules) -> set[str]:
    """What `notStored` would name: single elements where they are few, else the whole attribute."""
    owners = [rules.table.by_path(each.path) for each in lost]
    often = {each.name for each, times in Counter(owners).items() if each is not None and times > _FEW_ELEMENTS}
    return {
        owner.name if owner is not None and owner.name in often else _settings_name(each, rules)
        for each, owner in zip(lost, owners, strict=True)
    }


def _settings_name(change: AttributeChange, rules: AttributeRules) -> str:
    """As short as the settings understand it: ``department``, ``emails.primary``; one element by its whole path."""
    attribute, element = rules.table.by_path(change.path), element_of(change.path)
    if attribute is None:
        return change.path
    if element is None:
        return attribute.name + change.path.removeprefix(attribute.path)
    part = element[2]
    return change.path if part is None or part == attribute.value else f"{attribute.name}.{part}"


def _yaml(name: str) -> str:
    return name if name.replace(".", "").isalnum() else "'" + name.replace("'", "''") + "'"
