"""Declarations from a text, for tests: a folder with one file, loaded, checked and resolved."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

from reconciler.declarations import Declarations, check_declarations, load_declarations, resolve
from reconciler.model import DesiredResource, DesiredState, Diagnostic, ListMode, Severity
from reconciler.profiles.loading import load_profile
from reconciler.profiles.profile import Profile
from reconciler.settings import Target

TODAY = date(2026, 11, 25)
HERE = Target(name="here", profile="rfc", url="sandbox:")
THERE = Target(name="there", profile="rfc", url="sandbox:")
RFC = load_profile("rfc")
GENESYS = load_profile("genesys")


def written(folder: Path, text: str, name: str = "identities/people.yaml") -> Path:
    """Write one file of declarations; gives the base folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return folder


def loaded(folder: Path, text: str) -> Declarations:
    return load_declarations(written(folder, text), ["identities"])


def problems(folder: Path, text: str, profile: Profile = RFC) -> tuple[Diagnostic, ...]:
    """Everything wrong with one file, for the targets `here` and `there`."""
    declarations = loaded(folder, text)
    checked = check_declarations(declarations, [(HERE, profile), (THERE, profile)])
    return tuple(sorted((*declarations.diagnostics, *checked), key=lambda each: (str(each.source), each.code)))


def desired(
    folder: Path,
    text: str,
    *,
    profile: Profile = RFC,
    target: Target = HERE,
    today: date = TODAY,
    today_in: Callable[[str], date] | None = None,
) -> DesiredState:
    """The desired state of declarations without a mistake."""
    declarations = loaded(folder, text)
    found = (*declarations.diagnostics, *check_declarations(declarations, [(HERE, profile), (THERE, profile)]))
    assert not [each for each in found if each.severity is Severity.ERROR]
    return resolve(declarations, target, profile, today, today_in)


def resource(state: DesiredState, address: str) -> DesiredResource:
    return next(each for key, each in state.resources.items() if str(key) == address)


def members(state: DesiredState, key: str) -> set[str]:
    """The members of a group by name; a group inside it as ``group.KEY``."""
    found = resource(state, f"group.{key}").lists["members"].items
    return {str(each).removeprefix("user.") for each in found}


def names(state: DesiredState, address: str, name: str) -> dict[str, float | None]:
    """A list of names with its levels."""
    found = resource(state, address).lists[name]
    assert found.mode in ListMode
    return {str(item): known.level for item, known in found.items.items()}
