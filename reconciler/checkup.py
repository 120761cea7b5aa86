"""Whether a target can be worked with from here: settings, declarations, credential, connection, record, checkout.

Reads only, and goes on after whatever fails, so that one run tells everything. No secret is in any answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec import Struct

from reconciler import __version__
from reconciler.checkout import Checkout
from reconciler.connecting import reader_for
from reconciler.describing import unknown_attributes
from reconciler.errors import InputError, ReconcilerError, TargetError
from reconciler.model import ResourceType, Severity
from reconciler.profiles.profile import Profile
from reconciler.project import Project
from reconciler.record.git import GitRecordStore
from reconciler.recording import record_of
from reconciler.settings import Target
from reconciler.settings.overlay import target_profile
from reconciler.settings.urls import derived_token_url
from reconciler.transport.client import Reader
from reconciler.transport.opening import signer_of

_ROWS: Final = 20
"""So many attributes that a profile does not know are written out."""


class Verdict(StrEnum):
    """How one check ended."""

    PASSED = "pass"
    WARN = "warn"
    FAIL = "fail"


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `name`: what; `said`: how it is, in a sentence; `mend`: empty if it passed."""

    name: str
    verdict: Verdict
    said: str
    mend: str = ""


def examine(project: Project, target: Target) -> Iterator[Check]:
    """Every check of one target, in the order in which a run would come upon it."""
    file = f" ({target.own_profile.path})" if target.own_profile is not None else ""
    yield _check("settings", f"{project.settings.path.name}: target {target.name}, profile {target.profile}{file}")
    yield from _guarded("declarations", partial(_declarations, project, target))
    (credential,) = _guarded("credential", partial(_credential, project, target))
    yield credential
    if credential.verdict is not Verdict.FAIL:
        yield from _guarded("connection", partial(_connection, project, target))
    recorded: list[str | None] = []
    yield from _guarded("record", partial(_record, project, target, recorded))
    yield from _guarded("checkout", partial(_checkout, project, target, recorded))


def _declarations(project: Project, target: Target) -> Iterator[Check]:
    problems, found = project.problems([target])
    errors = [each for each in problems if each.severity is Severity.ERROR]
    if errors:
        said = f"{len(errors):,} error{'' if len(errors) == 1 else 's'}"
        yield _check("declarations", said, Verdict.FAIL, "run reconciler validate: it names each with its line")
        return
    said = f"users: {len(found.users):,}, groups: {len(found.groups):,}, files: {found.files:,}"
    if problems:
        yield _check("declarations", f"{said}, with warnings", Verdict.WARN, "run reconciler validate")
    else:
        yield _check("declarations", said)


def _credential(project: Project, target: Target) -> Iterator[Check]:
    if target.embedded:
        yield _check("credential", "the embedded provider needs none")
        return
    if signer_of(target, project.settings.folder) is None:
        wire = target_profile(target).wire
        known = wire.environment if derived_token_url(wire, target.url) is not None else {}
        usual = [known[each] for each in ("clientId", "clientSecret") if each in known]
        other = f"or set {' and '.join(usual)}" if usual else "unless it lets everybody in"
        mend = f"write auth in the settings of the target, {other}"
        yield _check("credential", "none is named: requests are not signed", Verdict.WARN, mend)
        return
    yield _check("credential", "there, whether it is accepted is seen below")


def _connection(project: Project, target: Target) -> Iterator[Check]:
    profile = target_profile(target)
    wire = profile.wire
    with reader_for(project, target, profile) as reader:
        reader.ask_limits()
        described = not wire.discovery or reader.service_provider_config() is not None
        unread = False
        for name, path in (("users", wire.users_path), ("groups", wire.groups_path)):
            for check in _guarded(name, partial(_readable, reader, name, path)):
                unread = unread or check.verdict is Verdict.FAIL
                yield check
        if unread:
            # who is not let in is told nothing of the rest either: a verdict on it would mislead
            return
        yield _check("limits", _rate(reader.requests_per_minute))
        new = _unknown(reader, profile) if wire.discovery else None
    if described:
        known = "the target says what it can do" if wire.discovery else "the profile knows what the target can do"
        yield _check("discovery", known)
    else:
        said = "the target does not say what it can do; the profile decides"
        yield _check("discovery", said, Verdict.WARN, "nothing to do if the profile is the right one")
    if new is not None:
        yield _schemas(new)


def _unknown(reader: Reader, profile: Profile) -> dict[ResourceType, list[str]] | None:
    """What the target says it has and the profile does not know; None where it says nothing that can be read."""
    try:
        schemas = reader.get("/Schemas")
        return None if schemas is None else unknown_attributes(schemas, reader.get("/ResourceTypes"), profile)
    except TargetError:
        return None


def _schemas(new: Mapping[ResourceType, Sequence[str]]) -> Check:
    if not new:
        return _check("schemas", "the profile knows every attribute that the target says can be written")
    count = sum(len(rows) for rows in new.values())
    said = f"the target has {count:,} attribute{'' if count == 1 else 's'} that the profile does not know"
    lines = ["to declare them, begin a profile of your own with these lines (docs/profiles.md):"]
    for resource_type, rows in new.items():
        lines += [f"{resource_type}s:", "  attributes:", *(f"    {each}" for each in rows[:_ROWS])]
        lines += [f"    # and {len(rows) - _ROWS:,} more"] if len(rows) > _ROWS else []
    return _check("schemas", said, mend="\n".join(lines))


def _rate(per_minute: int | None) -> str:
    return "no limit of requests is known" if per_minute is None else f"{per_minute:,} requests a minute"


def _readable(reader: Reader, name: str, path: str) -> Iterator[Check]:
    page = reader.glance(path)
    if page.total is None and not page.rows:
        mend = f"check url: it is the SCIM base URL, which {path} follows"
        yield _check(name, f"there is no list at {path}", Verdict.FAIL, mend)
        return
    yield _check(name, "can be read" if page.total is None else f"can be read, {page.total:,} of them")


def _record(project: Project, target: Target, recorded: list[str | None]) -> Iterator[Check]:
    record = record_of(project, target, __version__)
    loaded = record.load()
    where = record.store.describe()
    if loaded.trouble is not None:
        yield _check("record", loaded.trouble.summary, Verdict.FAIL, loaded.trouble.mend)
        return
    recorded.append(loaded.applied.commit)
    if not loaded.applied.whole:
        mend = "nothing to do; the first apply that reaches its end puts that right; until then nothing is removed"
        yield _check("record", f"no apply that reached its end is on record in {where}", Verdict.WARN, mend)
    elif loaded.claim is not None and (remark := loaded.claim.remark(datetime.now(UTC))) is not None:
        yield _check("record", remark.summary, Verdict.WARN, remark.mend)
    else:
        yield _check("record", f"can be read in {where}")
    if isinstance(record.store, GitRecordStore):
        yield from _guarded("record", partial(_pushed, record.store))


def _pushed(store: GitRecordStore) -> Iterator[Check]:
    """Whether what is written goes to where it is read: `pushurl` and `pushInsteadOf` may say something else."""
    for address in store.other_addresses():
        said = f"it is read from {address.read} and written to {address.written}"
        if address.same:
            yield _check("record", f"{said}: the same repository")
        else:
            mend = f"let the url of {store.remote} and its pushurl (or url.*.pushInsteadOf) name one repository"
            yield _check("record", f"{said}, {address.why}", Verdict.FAIL, mend)


def _checkout(project: Project, target: Target, recorded: list[str | None]) -> Iterator[Check]:
    if target.embedded or project.repository is None:
        said = "an embedded target needs none" if target.embedded else "this is no git repository"
        verdict = Verdict.PASSED if target.embedded else Verdict.WARN
        yield _check("checkout", said, verdict, "" if target.embedded else "keep the declarations in git")
        return
    checkout = Checkout.of(project, target, project.repository, recorded[0] if recorded else None)
    notices = checkout.notices()
    for each in notices:
        yield _check("checkout", each.summary, Verdict.WARN, each.mend)
    if not notices:
        yield _check("checkout", f"commit {(checkout.head or '')[:12]}, nothing uncommitted")


def _guarded(name: str, work: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks of one part; what makes it impossible is one that failed."""
    try:
        yield from work()
    except ReconcilerError as error:
        summary = error.summary
        if isinstance(error, InputError) and error.diagnostics:
            summary = error.diagnostics[0].summary
        yield _check(name, summary, Verdict.FAIL, error.mend)


def _check(name: str, said: str, verdict: Verdict = Verdict.PASSED, mend: str = "") -> Check:
    return Check(name=name, verdict=verdict, said=said, mend=mend)
