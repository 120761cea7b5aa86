"""What a plan or a broken rule is called by: the digest of what it intends, whatever stands beside it. Pure."""

import hashlib
from collections.abc import Iterable

from reconciler.codecs import json_bytes
from reconciler.model import Change, Json, Plan
from reconciler.planfile.shape import encode_value


def digest(plan: Plan) -> str:
    """SHA-256 (64 hex digits) of what the plan intends, whatever words, places, versions or causes stand beside it.

    Covers target, profile, of each change the address, the live id, the actions and the attribute changes (path, op,
    before, after, item), and of each violation the rule and its items. The order of none of them matters.
    """
    return hashlib.sha256(json_bytes(_intent(plan))).hexdigest()


def violation_digest(rule: str, items: Iterable[str]) -> str:
    """What an acceptance names: the first 8 hex digits of the SHA-256 over a rule and its items, in any order."""
    return hashlib.sha256(json_bytes([rule, *sorted(items)])).hexdigest()[:8]


def _intent(plan: Plan) -> Json:
    return {
        "target": plan.target,
        "profile": plan.profile,
        "changes": sorted((_change_intent(each) for each in plan.changes), key=json_bytes),
        "violations": sorted(([each.rule, *sorted(each.items)] for each in plan.violations), key=json_bytes),
    }


def _change_intent(change: Change) -> Json:
    differences: list[Json] = [
        [each.path, each.op, encode_value(each.before), encode_value(each.after), each.item]
        for each in change.attribute_changes
    ]
    return {
        "address": str(change.address),
        "live_id": change.live_id,
        "actions": sorted(change.actions),
        "attributes": differences if len(differences) < 2 else sorted(differences, key=json_bytes),
    }
