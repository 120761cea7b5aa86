"""The profile of a target: what its service provider is like, with what the target's own settings say laid over it."""

from msgspec.structs import replace

from reconciler.profiles.loading import GROUP_PREFIX, load_profile
from reconciler.profiles.profile import Profile
from reconciler.settings import Target


def target_profile(target: Target) -> Profile:
    """The target's profile with what the target itself says (`lists`, `notStored`, `pageSize`) laid over it."""
    own = target.own_profile
    profile = own.profile if own is not None else load_profile(target.profile)
    of_groups = tuple(each.removeprefix(GROUP_PREFIX) for each in target.not_stored if each.startswith(GROUP_PREFIX))
    of_users = tuple(each for each in target.not_stored if not each.startswith(GROUP_PREFIX))
    users, groups, wire = profile.users, profile.groups, profile.wire
    return replace(
        profile,
        users=replace(users, not_stored=users.not_stored + of_users, modes={**users.modes, **target.modes}),
        groups=replace(groups, not_stored=groups.not_stored + of_groups),
        wire=wire if target.page_size is None else replace(wire, page_size=target.page_size),
    )
