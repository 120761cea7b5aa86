"""What a name refers to: a declared user or group of the target, or somebody live. Unknown names are reported."""

from collections.abc import Callable
from typing import Any, Final

from reconciler.declarations.declared import View
from reconciler.declarations.lines import Lines
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.model import Address, LiveReference, ResourceType, SourceLocation, Value
from reconciler.profiles.profile import Profile
from reconciler.scim.values import canonical_text
from reconciler.settings import Target
from reconciler.suggestions import suggestion
from reconciler.yamlsource import Places

_MOST_GUESSES: Final = 20
"""Looking for a similar name among thousands takes long; where so many are unknown, spelling is not the reason."""


class References:
    """Look-ups for one target. `left_out`: who names whom that is declared, but not for this target."""

    def __init__(self, view: View, target: Target, profile: Profile, report: Reporter) -> None:
        self.view = view
        self.profile = profile
        self.target = target
        self.report = report
        self._guesses = 0
        self.left_out: dict[tuple[Address | None, SourceLocation], list[str]] = {}

    def manager(self, raw: Any, lines: Lines) -> Value:
        """The manager that a line names; None, and said so, if there is none for this target."""
        if isinstance(raw, dict):
            return self.live(raw, lines.places, lines.of)
        return self.user(raw, lines.place(), lines.of, "unknown-manager")

    def user(self, name: Any, source: SourceLocation, of: Address | None, code: str) -> Address | None:
        """The address of a user by key or userName; None, and said so, if there is none for this target."""
        entry = self.view.user(name)
        if entry is None:
            if self.view.unread or (self.view.nameless and "@" in str(name)):
                return None
            near = self._near(self.view.near_user, name)
            mend = f"did you mean {near}?" if near else f"declare {name}, or write {{live: {name}}} for somebody else's"
            if self.view.group(name) is not None:
                mend = self._mend_of_group(name, code)
            what = code.removeprefix("unknown-")
            summary = f"{what} {quoted(name)}: nobody declared here has this key or userName"
            self.report.error(code, source, summary, mend=mend, of=of)
            return None
        if not entry.is_for(self.target.name):
            self.leave_out(of, source, entry.key)
            return None
        return Address(ResourceType.USER, entry.key)

    def _mend_of_group(self, name: Any, code: str) -> str:
        """What to write where a group stands in the place of a person."""
        if code != "unknown-member":
            return "name a person: this is a group"
        if self.profile.membership.nested:
            return f"write {{group: {name}}} for a group inside this one"
        return f"name the people: {self.profile.title} takes no groups inside groups"

    def group(self, name: Any, source: SourceLocation, of: Address | None) -> Address | None:
        """The address of a group by its key; None, and said so, if there is none for this target."""
        entry = self.view.group(name)
        if entry is None:
            if self.view.unread:
                return None
            near = self._near(self.view.near_group, name)
            mend = f"did you mean {near}?" if near else "declare it under groups:"
            self.report.error("unknown-group", source, f"no group has the key {quoted(name)}", mend=mend, of=of)
            return None
        if not entry.is_for(self.target.name):
            self.leave_out(of, source, f"group {entry.key}")
            return None
        return Address(ResourceType.GROUP, entry.key)

    def live(self, raw: dict[str, Any], places: Places, of: Address | None) -> LiveReference | None:
        """``{live: userName}``: somebody who must not be declared for this target."""
        name = canonical_text(str(raw["live"]))
        entry = self.view.user(name)
        if entry is not None and entry.is_for(self.target.name):
            self.report.error(
                "live-but-declared",
                places.value(raw, "live"),
                f"{quoted(name)} is declared here as {entry.key}",
                why="live: is for people whom these files do not manage.",
                mend=f"write {entry.key}",
                of=of,
            )
            return None
        return LiveReference(ResourceType.USER, name)

    def _near(self, look: Callable[[str], str | None], name: str) -> str | None:
        self._guesses += 1
        return look(name) if self._guesses <= _MOST_GUESSES else None

    def leave_out(self, of: Address | None, source: SourceLocation, name: str) -> None:
        """Count a reference to somebody who is declared, but not for this target."""
        self.left_out.setdefault((of, source), []).append(name)

    def unknown_template(self, name: str, source: SourceLocation, of: Address | None) -> None:
        """Say that there is no such template, if all that there are were read."""
        if self.view.unread:
            return
        mend = suggestion(name, [each.key for each in self.view.templates.values()]) or "declare it under templates:"
        self.report.error("unknown-template", source, f"there is no template {quoted(name)}", mend=mend, of=of)
