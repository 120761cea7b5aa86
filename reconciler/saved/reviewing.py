"""Whether a plan made now is the one that was reviewed, or what is left of it. Pure.

By the file of the reviewed plan a part of it will do, if the rest is in place already. By its digest alone nothing but
the very same plan can be told; or none at all, which writes nothing.
"""

from msgspec.structs import replace

from reconciler.errors import InputError
from reconciler.model import Plan
from reconciler.planfile import digest
from reconciler.reconcile import Reconciliation
from reconciler.saved.comparing import PlanDifference, compare_plans
from reconciler.saved.judging import Stage, ids_given, judge
from reconciler.saved.narrowing import covers


def as_planned(now: Reconciliation) -> Plan:
    """The plan as `plan` would print it: without the rules about this very run, and with what only this run accepts."""
    return replace(now.plan, violations=now.violations_as_planned)


def is_reviewed_digest(wanted: str, now: Reconciliation) -> bool:
    """Whether the digest of the reviewed plan is that of this one, or this one does nothing."""
    return not now.plan.changes or digest(as_planned(now)) == wanted


def beyond_review(reviewed: Plan, now: Reconciliation) -> PlanDifference | None:
    """How a new plan differs from the reviewed one; None if it is that plan or what is left of it.

    InputError if the reviewed one is a plan for another target.
    """
    if reviewed.target != now.plan.target:
        summary = f'the reviewed plan is for target "{reviewed.target}", not "{now.plan.target}"'
        raise InputError(summary, mend="name the plan that was reviewed for this target")
    plan = as_planned(now)
    if digest(plan) == digest(reviewed):
        return None
    ids = ids_given(reviewed, now.situation)
    difference = compare_plans(reviewed, plan, ids)
    judged = judge(reviewed, now.situation)
    left = {key: part for key, part in difference.only_reviewed.items() if judged[key].stage is not Stage.DONE}
    known = reviewed.violations
    broken = tuple(each for each in difference.broken_new if not any(covers(one, each) for one in known))
    lifted = () if difference.only_reviewed or not plan.changes else difference.broken_reviewed
    beyond = replace(difference, only_reviewed=left, broken_new=broken, broken_reviewed=lifted)
    return beyond or None
