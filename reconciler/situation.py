"""What a comparison looks at: the three states of a target, what was matched, and the rules that hold there."""

from dataclasses import dataclass

from reconciler.model import AppliedState, DesiredState, LiveState, Matches, Policy
from reconciler.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Desired, live and applied (settled) of one target, with `matches` between them."""

    desired: DesiredState
    live: LiveState
    applied: AppliedState
    matches: Matches
    profile: Profile
    policy: Policy
