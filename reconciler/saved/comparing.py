"""The difference of two plans: what only one of them does, and what they do differently. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from reconciler.model import Plan, Violation
from reconciler.saved.parts import NO_IDS, Ids, Key, Part, parts_of, same_part


class PlanDifference(Struct, frozen=True, kw_only=True):
    """`different`: the same thing, done otherwise (another value, or found otherwise); the reviewed one stands first.

    Violations are told apart by rule and digest: one that counts other items is another one.
    """

    only_reviewed: Mapping[Key, Part]
    only_new: Mapping[Key, Part]
    different: tuple[tuple[Part, Part], ...]
    broken_reviewed: tuple[Violation, ...]
    broken_new: tuple[Violation, ...]

    def __bool__(self) -> bool:
        return bool(self.only_reviewed or self.only_new or self.different or self.broken_reviewed or self.broken_new)


def compare_plans(reviewed: Plan, new: Plan, ids: Ids = NO_IDS) -> PlanDifference:
    """What stands between two plans of one target. `ids`: what the reviewed one's ``bulkId:…`` have become."""
    one, other = parts_of(reviewed.changes, ids), parts_of(new.changes, ids)
    broken, breaks = ({(each.rule, each.digest): each for each in plan.violations} for plan in (reviewed, new))
    return PlanDifference(
        only_reviewed={key: part for key, part in one.items() if key not in other},
        only_new={key: part for key, part in other.items() if key not in one},
        different=tuple(
            (part, other[key]) for key, part in one.items() if key in other and not same_part(part, other[key], ids)
        ),
        broken_reviewed=tuple(each for key, each in broken.items() if key not in breaks),
        broken_new=tuple(each for key, each in breaks.items() if key not in broken),
    )
