"""Whether what is printed is masked, and what is known of people for that. One mask for one run of the command."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model import Diagnostic, Failed, NotTried, Plan, Result, Skipped, Split, Succeeded
from reconciler.project import Project
from reconciler.scim.attributes import USER_ATTRIBUTES
from reconciler.settings.overlay import target_profile

if TYPE_CHECKING:
    from reconciler.reconcile import Reconciliation
    from reconciler.rendering.masked_people import KnownPeople
    from reconciler.rendering.masking import Mask

_current: Final["list[Mask]"] = []
_one_learns: Final = Lock()
_NOT_HERS: Final = frozenset({"manager", "startsOn", "endsOn", "timeZone"})
"""Keys of people, with text, of which nothing tells who somebody is."""


MASK_OPTION: Final = click.option(
    "--mask",
    type=click.Choice(("personal",)),
    envvar="RECONCILER_MASK",
    show_envvar=True,
    help="For logs that others read: person-001 in the place of names, logins, addresses and numbers of people.",
)


def begin(mask: str | None) -> None:
    """What this run prints is masked, or it is not."""
    if mask:
        # masks are for few runs
        from reconciler.rendering.masking import Mask

        _current[:] = [Mask()]
    else:
        _current.clear()


def is_masked() -> bool:
    """Whether personal data is left out."""
    return bool(_current)


def learn_declared(project: Project) -> None:
    """Know everybody in the files, also in those with mistakes, before anything is said of them."""
    if not _current:
        return
    from reconciler.declarations.files import read_folders

    _current[0].known.keep(project.settings.targets)
    for target in project.settings.targets:
        _current[0].known.describe(target_profile(project.target(target)).users.table)
        for file in read_folders(project.base, project.target(target).identities).files:
            for document in (*file.documents, file.partial):
                _learn_document(_current[0].known, document)


def learn_files(opened: Callable[[], Project]) -> None:
    """The same where there may be no project: then only what the plan itself tells is known."""
    if _current:
        with suppress(ReconcilerError):
            opened()


def learn(found: "Reconciliation") -> "Reconciliation":
    """Know everybody who is declared or live there."""
    if _current:
        with _one_learns:
            _current[0].known.learn_state(found.situation.desired, found.situation.live)
    return found


def plan(plan: Plan) -> Plan:
    """The plan as it may be printed; its digest is no longer its own."""
    return _current[0].plan(plan) if _current else plan


def split(split: Split | None) -> Split | None:
    """A division as it may be printed. The plan comes first."""
    return _current[0].split(split) if _current else split


def diagnostics(some: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """Problems as they may be printed."""
    return [_current[0].diagnostic(each) for each in some] if _current else some


def text(text: str) -> str:
    """A sentence as it may be printed."""
    return _current[0].text(text) if _current else text


def results(some: Iterable[Result]) -> list[Result]:
    """What became of requests, as it may be printed."""
    return [_result(each) for each in some] if _current else list(some)


def _result(result: Result) -> Result:
    match result:
        case Succeeded():
            return replace(result, live_id=_current[0].names(result.live_id), note=text(result.note))
        case Failed() | Skipped() | NotTried():
            return replace(result, message=text(result.message))


def _learn_document(known: "KnownPeople", document: object) -> None:
    """Whoever is declared in a document, or named as somebody else's manager or member."""
    for key, entry in _entries(document, "users"):
        formerly, manager = entry.get("formerly"), entry.get("manager")
        known.learn_user((str(key), *(str(each) for each in formerly or () if isinstance(formerly, list))), _own(entry))
        _learn_person(known, manager)
    for key, entry in _entries(document, "groups"):
        known.keep((str(key), str(entry.get("displayName"))))
        members = entry.get("members")
        for each in members if isinstance(members, list) else ():
            _learn_person(known, each)


def _entries(document: object, name: str) -> Iterator[tuple[object, dict[str, Any]]]:
    found = document.get(name) if isinstance(document, dict) else None
    for key, entry in found.items() if isinstance(found, dict) else ():
        yield key, entry if isinstance(entry, dict) else {}


def _learn_person(known: "KnownPeople", written: object) -> None:
    """A reference to somebody: a key or a userName, or a mapping that holds one."""
    if isinstance(written, dict):
        written = written.get("user") or written.get("live")
    if isinstance(written, str):
        known.learn((written,))


def _own(values: dict[str, Any]) -> dict[str, Any]:
    """What a person's own lines say of her; names of templates, groups, roles, skills and days are not hers alone."""
    hers = {each.name for each in USER_ATTRIBUTES.attributes} - {"roles", "entitlements", "manager"}
    return {
        name: each for name, each in values.items() if name in hers or (isinstance(each, str) and name not in _NOT_HERS)
    }
