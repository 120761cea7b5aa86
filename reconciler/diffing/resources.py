"""A whole user or group: created, changed, let go, removed, or left as it is.

=========  ==============  =============================  ==============================================
declared   record          live                           what happens
=========  ==============  =============================  ==============================================
yes        no entry        none                           create, declared
yes        only announced  none                           create, leftover
yes        entry           none                           create, drift: others deleted it
yes        any             there                          `values`, `items`
yes        any             cannot be told                 left as it is, named
yes        any             there, `deleteAfter` is over   delete (1)
yes        any             none, `deleteAfter` is over    nothing
no         released        any                            nothing; the claims are dropped
no         entry           active user                    deactivate or delete, and take what is ours
no         entry           inactive user                  take what is ours
no         entry           group                          delete, or take the members that are ours
no         entry           none                           nothing
no         only announced  a login that was sent          named, left as it is
no         none            any                            not ours: nothing
=========  ==============  =============================  ==============================================

(1) *due* if the dates are the ones the record holds, else *leftover* or *declared*: a `deleteAfter` that is new in this
commit has not been reviewed before, so it counts against the limits. An account that is found by its name goes at
once, too: to take it over first would give her groups, and the deletion would come with the next run, unreviewed.
"""

from collections.abc import Callable

from reconciler.diffing.activity import ACTIVE, wish_of
from reconciler.diffing.dated import speak_of_dates
from reconciler.diffing.findings import Differences, Finding
from reconciler.diffing.ground import Ground
from reconciler.diffing.items import claims, compare_list, given_on_create
from reconciler.diffing.references import Unresolved
from reconciler.diffing.renaming import speak_of_renames
from reconciler.diffing.slips import speak_of_slips
from reconciler.diffing.values import compare_values
from reconciler.model import (
    Action,
    Address,
    Ambiguous,
    AppliedResource,
    AttributeChange,
    Cause,
    DesiredResource,
    Diagnostic,
    LiveReference,
    LiveResource,
    OnlyDesired,
    PatchOp,
    Removal,
    ResourceType,
    Severity,
    without_case,
)
from reconciler.profiles.profile import AttributeRules
from reconciler.scim.attributes import Attribute, AttributeTable
from reconciler.scim.paths import short_path
from reconciler.situation import Situation, accounts_called


def diff_resources(situation: Situation) -> Differences:
    """Compare everything that is declared or ours."""
    ground = Ground.of(situation)
    for address in sorted(situation.desired.resources, key=_users_first):
        _keep(ground, _declared(ground, situation.desired.resources[address]))
    settled = {each.folded for each in (*situation.desired.resources, *situation.desired.released)}
    for address, entry in sorted(situation.applied.resources.items(), key=lambda each: _users_first(each[0])):
        if address.folded not in settled:
            _keep(ground, _undeclared(ground, address, entry))
    speak_of_slips(ground)
    speak_of_dates(ground)
    speak_of_renames(ground)
    for path, count in sorted(ground.not_compared.items()):
        ground.notice("not-compared", f"{short_path(path)} cannot be read here and is not compared ({count} declared)")
    ground.differences.refused.sort(key=_by_place)
    ground.differences.notices.sort(key=_by_place)
    return ground.differences


def _keep(ground: Ground, finding: Finding | None) -> None:
    if finding:
        finding.changes.sort(key=_display_order(ground.rules(finding.address).table))
        finding.notes.sort()
        ground.differences.findings.append(finding)


# --- declared


def _declared(ground: Ground, wanted: DesiredResource) -> Finding | None:
    match = ground.situation.matches.by_address[wanted.address]
    if isinstance(match, Ambiguous):
        mend = "correct it on the server or in the declaration; until then no account it may stand for is touched"
        ground.refuse("ambiguous", wanted, match.reason, mend)
        return None
    if isinstance(match, OnlyDesired):
        return _created(ground, wanted)
    return _paired(ground, wanted, ground.situation.live.resources[match.live_id])


def _created(ground: Ground, wanted: DesiredResource) -> Finding | None:
    if wanted.address in ground.references.impossible:
        profile, called = ground.situation.profile, wanted.attributes.get("displayName", wanted.address.key)
        reason = f"{profile.title} has no group of this name, and groups cannot be created over SCIM"
        mend = f"make a group named {called!s} {profile.lifecycle.group_place}; its members are managed here"
        ground.refuse("group-cannot-be-created", wanted, reason, mend)
        return None
    if wanted.address in ground.references.over:
        return None
    finding = ground.finding(wanted.address, wanted, None)
    cause = ground.creates[wanted.address]
    finding.whole = (Action.CREATE, cause)
    if cause is Cause.DRIFT:
        finding.reason = "deleted on the server by other hands"
    _fill(ground, wanted, cause, finding)
    return finding


def _fill(ground: Ground, wanted: DesiredResource, cause: Cause, finding: Finding) -> None:
    """Everything that a create sends, and what follows it."""
    rules = ground.rules(wanted.address)
    for path, value in wanted.attributes.items():
        after, why = value, cause
        if isinstance(value, Address | LiveReference):
            resolved = ground.resolved(wanted, path, value)
            if isinstance(resolved, Unresolved):
                finding.notes.append(f"{short_path(path)}: {resolved.reason}")
                continue
            after, why = resolved, ground.cause_of_value(value, resolved, cause)
        if after is not None and (not rules.not_stored or _stored(rules, path)):
            origin = wanted.origins.get(path)
            finding.changes.append(AttributeChange(path=path, op=PatchOp.ADD, cause=why, after=after, origin=origin))
    for attribute in rules.table.lists:
        if attribute.name in wanted.lists and _stored(rules, attribute.name):
            finding.changes += given_on_create(ground, wanted, attribute, cause)
    wish = wish_of(wanted.lifecycle, None)
    if wish.active is not None:
        finding.changes.append(AttributeChange(path=ACTIVE, op=PatchOp.ADD, cause=cause, after=wish.active))


def _stored(rules: AttributeRules, path: str) -> bool:
    attribute = rules.table.by_path(path) or rules.table.get(path)
    return rules.stores(attribute, path) if attribute else path not in rules.not_stored


def _paired(ground: Ground, wanted: DesiredResource, found: LiveResource) -> Finding:
    entry = ground.entry(wanted.address)
    finding = ground.finding(wanted.address, wanted, found)
    if found.id in ground.going:
        finding.whole = (Action.DELETE, ground.going[found.id])
        finding.reason = "deleteAfter is over"
        _say_what_it_is_called(finding, entry, found)
        return finding
    if found.active and wanted.address.resource_type is ResourceType.USER and ground.situation.is_new(wanted.address):
        _say_that_it_was_there(ground, wanted, found)
    compare_values(ground, wanted, found, entry, finding)
    if wanted.address.resource_type is ResourceType.GROUP:
        _say_that_two_are_called_so(ground, found, finding)
    for attribute in ground.rules(wanted.address).table.lists:
        if attribute.name in wanted.lists or (entry is not None and claims(entry, attribute)):
            compare_list(ground, wanted, attribute, found, entry, finding)
    return finding


def _say_that_it_was_there(ground: Ground, wanted: DesiredResource, found: LiveResource) -> None:
    """Who reviews a newcomer expects a new account, and not one to which somebody has given access."""
    held = [
        f"{attribute.name} {', '.join(more)}"
        for attribute in ground.rules(wanted.address).table.lists
        if attribute.access and (more := sorted(found.lists.get(attribute.name, {}).keys() - _named(wanted, attribute)))
    ]
    if held:
        summary = f"an account of this userName is there already: it holds {'; '.join(held)}, which no line names"
        ground.notice("account-was-there", summary, "see that it is hers", wanted)


def _say_that_two_are_called_so(ground: Ground, found: LiveResource, finding: Finding) -> None:
    """Servers let two groups bear one name; who reads it next takes the one for the other."""
    for each in finding.changes:
        if each.path == finding.name_path and isinstance(each.after, str):
            others = ground.names.get((ResourceType.GROUP, without_case(each.after)), ())
            if any(other.id != found.id for other in others):
                finding.notes.append(f"another group is called {each.after} already")


def _named(wanted: DesiredResource, attribute: Attribute) -> set[str]:
    lines = wanted.lists.get(attribute.name)
    return {each for each in (lines.items if lines else ()) if isinstance(each, str)}


# --- no longer declared


def _undeclared(ground: Ground, address: Address, entry: AppliedResource) -> Finding | None:
    matches, live = ground.situation.matches, ground.situation.live
    if entry.live_id is None:
        _name_unanswered(ground, address, entry)
        return None
    found = live.resources.get(entry.live_id)
    if found is None or entry.live_id in matches.address_of:
        return None
    if entry.live_id in matches.frozen:
        _say_that_she_is_left(ground, address, found)
        return None
    finding = ground.finding(address, None, found)
    stood = (ground.situation.stood or {}).get(address.folded)
    finding.reason = f"removed from {stood.path}" if stood else "no longer declared"
    _say_what_it_is_called(finding, entry, found)
    _say_that_it_stays(ground, finding)
    removal = ground.situation.removal(address.resource_type)
    user = address.resource_type is ResourceType.USER
    if removal is Removal.DELETE and (found.active or not user):
        finding.whole = (Action.DELETE, Cause.LEFTOVER if entry.pending.delete else Cause.DECLARED)
        return finding
    if user and found.active and removal is Removal.DEACTIVATE:
        cause = Cause.LEFTOVER if entry.pending.leaving else Cause.DECLARED
        finding.changes.append(AttributeChange(path=ACTIVE, op=PatchOp.REPLACE, cause=cause, before=True, after=False))
    for attribute in ground.rules(address).table.lists:
        if claims(entry, attribute):
            compare_list(ground, None, attribute, found, entry, finding)
    return finding


def _say_what_it_is_called(finding: Finding, entry: AppliedResource | None, found: LiveResource) -> None:
    """Somebody is about to lose an account that others have renamed, and perhaps given to somebody else."""
    known = entry.values.get(finding.name_path) if entry is not None else None
    if isinstance(known, str) and without_case(known) != without_case(found.name):
        finding.notes.append(f"others renamed it: {found.name} on the server, {known} as we left it")


def _say_that_she_is_left(ground: Ground, address: Address, found: LiveResource) -> None:
    """Whoever is declared no more and keeps everything, because another line may mean the same account."""
    if meant := ground.claims.get(found.id):
        who = ", ".join(map(str, meant))
        summary = f"{address} is no longer declared, and left as it is: {who} may mean {found.name}"
        ground.notice("leaver-left", summary, "it is removed, or goes on under another key, once that can be told")


def _say_that_it_stays(ground: Ground, finding: Finding) -> None:
    """A group that is to be deleted where none can be: it is emptied of what was given, and the reader is told."""
    situation = ground.situation
    if finding.address.resource_type is ResourceType.USER or situation.policy.removal_groups is not Removal.DELETE:
        return
    if not situation.profile.lifecycle.group_delete:
        ground.differences.refused.append(
            Diagnostic(
                severity=Severity.ERROR,
                code="group-cannot-be-deleted",
                summary="it stays, without the members given here: groups cannot be deleted over SCIM",
                mend=f"delete {finding.label} {situation.profile.lifecycle.group_place}",
                address=finding.address,
                source=situation.policy.sources.get("removal.groups"),
            )
        )


def _name_unanswered(ground: Ground, address: Address, entry: AppliedResource) -> None:
    """A create without an answer may have made the account that now has other values. Nobody can tell: it is said."""
    for found in accounts_called(entry, ground.names):
        if found.id not in ground.situation.matches.address_of:
            summary = f"{address} is no longer declared, and {found.name} may come from its unanswered create"
            ground.notice("create-unanswered", summary, "left as it is; remove it on the server if it is ours")


# --- order


def _users_first(address: Address) -> tuple[bool, str]:
    return (address.resource_type is ResourceType.GROUP, address.key)


def _by_place(diagnostic: Diagnostic) -> tuple[str, str, str]:
    return (str(diagnostic.address or ""), diagnostic.code, diagnostic.summary)


def _display_order(table: AttributeTable) -> Callable[[AttributeChange], tuple[int, str, str]]:
    return lambda change: (table.place(change.path), change.path, change.item or "")
