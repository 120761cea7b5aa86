"""Performs one operation: the requests it takes, and what their answers mean. Decides nothing about other operations.

Remembers what a run has learnt: versions, members, who left. Halts the run where going on could do harm or cannot
succeed: a credential that is no longer accepted, members that vanish although nobody took them out. A server that has
fallen silent and an audit that cannot be written are noticed in `sending`.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec.structs import replace

from reconciler.applying.changing import Changer, InParts
from reconciler.applying.judging import (
    explained,
    id_in,
    in_words,
    is_collision,
    is_gone,
    is_no_target,
    named,
    names_in,
    taken_name,
    with_request,
)
from reconciler.applying.looking_up import user_called
from reconciler.applying.memberships import (
    Operations,
    added,
    except_for,
    is_member_delta,
    members_of,
    removed,
    still_needed,
)
from reconciler.applying.references import References, Unresolved
from reconciler.applying.restoring import restored, why_not_hers
from reconciler.applying.sending import Sending
from reconciler.decoding import Decoder
from reconciler.errors import TargetError
from reconciler.model import (
    BULK_ID,
    CreateResource,
    DeleteResource,
    Failed,
    Json,
    LiveResource,
    Operation,
    PatchResource,
    ResourceType,
    Result,
    Succeeded,
)
from reconciler.profiles.profile import Profile
from reconciler.scim.paths import short_path, url_path
from reconciler.transport.answers import Answer, Refusal, version_of
from reconciler.transport.client import Writer

Members: TypeAlias = Mapping[str, Collection[str]]

UNKNOWN_MEMBERS: Final[Members] = MappingProxyType({})
Live: TypeAlias = Mapping[str, LiveResource]
NOTHING_READ: Final[Live] = MappingProxyType({})
_TAKEN: Final = 409
_CONFIRMED: Final = "confirmed: it was made, although no answer came"
_FIRST_PAUSE: Final = 0.5
"""Seconds before the first new try about something that was created a moment ago."""


class Performer:
    """Performs single operations of one run.

    Several threads may use it at once for operations that `side_by_side` lets go together: what is remembered of a
    resource is then one thread's business, and ids are not looked through while others are given.
    """

    def __init__(
        self,
        writer: Writer,
        profile: Profile,
        sending: Sending,
        members: Members = UNKNOWN_MEMBERS,
        sleep: Callable[[float], None] = time.sleep,
        known: Collection[str] = (),
        live: Live = NOTHING_READ,
    ) -> None:
        self._known = frozenset(known)
        self._live = live
        self._sleep = sleep
        self._writer = writer
        self._profile = profile
        self._sending = sending
        self._changer = Changer(writer, profile, sending.send, sleep)
        self._references = References()
        self._versions: dict[str, str | None] = {}
        self._bodies: dict[str, Mapping[str, Json] | None] = {}
        self._members: dict[str, frozenset[str] | None] = {key: frozenset(each) for key, each in members.items()}
        self._left: set[str] = set()

    def _path(self, operation: Operation, live_id: str | None = None) -> str:
        wire = self._profile.wire
        is_user = operation.address.resource_type is ResourceType.USER
        return url_path(wire.users_path if is_user else wire.groups_path, live_id)

    # --- create

    def create(self, operation: CreateResource) -> Result:
        """POST a resource and remember its id. Raises Unresolved, RecordTrouble (before anything was sent)."""
        body = self._references.resolved(operation.body)
        path = self._path(operation)
        answer = self._sending.send(operation, "POST", path, body, lambda: self._writer.create(path, body))
        lead = ""
        if isinstance(answer, Refusal):
            answer, lead = self._met(operation, path, body, answer)
        if isinstance(answer, Refusal):
            return self._failed(operation, self._explained(operation, answer, names_in(body)), taken_name(answer, body))
        live_id = id_in(answer)
        if live_id is None:
            message = f"the server answered {answer.status} without an id"
            return Failed(number=operation.number, message=message, status=answer.status, unknown=True)
        self._references.give(operation.address, live_id)
        self._versions[live_id] = answer.version
        if operation.address.resource_type is ResourceType.GROUP:
            self._members[live_id] = members_of(answer.body) or frozenset()
        return self._amended(operation, body, answer, live_id, lead)

    def _met(
        self, operation: CreateResource, path: str, body: Mapping[str, Json], refusal: Refusal
    ) -> tuple[Answer | Refusal, str]:
        """After "taken", or no answer: whoever has the login now, and how that is called; else what was answered.

        An account that the plan knew of belongs to somebody else. A collision that left nobody is tried once more.
        """
        login = body.get("userName")
        taken = refusal.status == _TAKEN
        if not isinstance(login, str) or not (taken or refusal.unknown):
            return refusal, ""
        found = user_called(self._writer, self._profile, login)
        unseen = self._live is not NOTHING_READ and found is not None and str(found.get("id")) not in self._live
        if found is not None and unseen:
            why_not = why_not_hers(body, found, self._profile)
            if why_not:
                return replace(refusal, detail=why_not), ""
            lead = "restored: the server had this user already, and had not listed it" if taken else _CONFIRMED
            return Answer(status=200, body=found, version=version_of(found)), lead
        if found is None and is_collision(refusal) and not refusal.unknown:
            return self._sending.send(operation, "POST", path, body, lambda: self._writer.create(path, body)), ""
        return refusal, ""

    def _amended(
        self, operation: CreateResource, body: Mapping[str, Json], answer: Answer, live_id: str, lead: str
    ) -> Result:
        """Where an earlier account came back, what was sent is brought about on it; the words for that."""
        kind = operation.address.resource_type
        back = restored(body, answer, live_id, resource_type=kind, profile=self._profile, known=self._known)
        if back is None:
            return _succeeded(operation, live_id, [lead] if lead else [])
        if lead == _CONFIRMED and (back.amends or set(back.brought) - set(self._profile.users.given_at_create)):
            lead = ""
        notes = [lead or f"restored: the server brought an earlier {kind.value} back"]
        if back.brought and lead != _CONFIRMED:
            notes.append(f"it came with what nobody declared: {', '.join(back.brought)}")
        if back.amends:
            came = self._changer.change(operation, self._path(operation, live_id), back.amends, None)
            self._versions[live_id] = came.version if isinstance(came, Answer) else None
            if isinstance(came, Refusal):
                notes.append(f"it could not be changed to what was sent: {with_request(came)}")
        return _succeeded(operation, live_id, notes)

    # --- patch

    def patch(self, operation: PatchResource) -> Result:
        """PATCH a resource, and look at the members of a group afterwards. Raises as `create`."""
        live_id = str(self._references.resolved(operation.live_id))
        chunk = is_member_delta(operation.operations)
        operations, missing = (
            self._references.without_missing(operation.operations) if chunk else (operation.operations, ())
        )
        if not operations:
            raise Unresolved(missing[0])
        wanted = tuple(replace(each, value=self._references.resolved(each.value)) for each in operations)
        is_group = operation.address.resource_type is ResourceType.GROUP
        if is_group:
            self._members_before(operation, live_id)
        answer = self._settled(operation, live_id, wanted)
        if isinstance(answer, Refusal) and chunk and removed(wanted) and is_no_target(answer):
            answer = self._patched_rest(operation, live_id, wanted, answer)
        if isinstance(answer, Refusal):
            parts = self._changer.in_parts(operation, self._path(operation, live_id), wanted, answer)
        else:
            parts = InParts(answer=answer)
        for _, refusal in parts.refused:
            self._forget(live_id, refusal)
        if parts.answer is None:
            part, refusal = parts.refused[0]
            return self._failed(operation, self._explained(operation, refusal, (each.path for each in part)))
        done = except_for(wanted, [each for part, _ in parts.refused for each in part])
        self._versions[live_id] = parts.answer.version
        self._bodies[live_id] = parts.answer.body
        if any(each.path == "active" and each.value is False for each in done):
            self._left.add(live_id)
        notes = [f"without {each.removeprefix(BULK_ID)}, not created" for each in missing]
        result: Result = _succeeded(operation, live_id, notes)
        if is_group:
            result = self._checked(operation, live_id, done, parts.answer, notes)
        return self._partly(operation, parts, result) if parts.refused else result

    def _partly(self, operation: PatchResource, parts: InParts, result: Result) -> Result:
        """Some of it was refused: that counts as failed, and says what."""
        if not isinstance(result, Succeeded):
            return result
        refused = [(part, self._explained(operation, why, [each.path for each in part])) for part, why in parts.refused]
        said = [f"{self._what(part)}: {in_words(refusal)}" for part, refusal in refused]
        notes = [result.note] if result.note else []
        message = "; ".join([*said, "the rest of the change is done", *notes])
        return Failed(number=operation.number, message=message, status=parts.refused[0][1].status)

    def _settled(self, operation: PatchResource, live_id: str, wanted: Operations) -> Answer | Refusal:
        """The change; a 404 about what this run has created may mean "not yet", for as long as the profile says."""
        path, version = self._path(operation, live_id), self._version(operation, live_id)
        before = self._before(operation, live_id)
        answer = self._changer.change(operation, path, wanted, version, before)
        waited, pause = 0.0, _FIRST_PAUSE
        fresh = self._references.are_fresh({live_id, *added(wanted)})
        while fresh and isinstance(answer, Refusal) and answer.status == 404:
            if waited + pause > self._profile.lifecycle.settles_within:
                break
            self._sleep(pause)
            waited, pause = waited + pause, pause * 2
            answer = self._changer.change(operation, path, wanted, version, before)
        return answer

    def _before(self, operation: PatchResource, live_id: str) -> LiveResource | None:
        """The resource as this change found it: as planned on, or as our own earlier change of this run left it."""
        body = self._bodies.get(live_id)
        if body is None:
            return self._live.get(live_id)
        return Decoder(operation.address.resource_type, self._profile).decode({**body, "id": live_id})

    def _forget(self, live_id: str, refusal: Refusal) -> None:
        """A change that may have happened all the same leaves neither version nor members to compare with."""
        if refusal.unknown:
            self._versions[live_id] = None
            self._bodies.pop(live_id, None)
            self._members.pop(live_id, None)

    def _version(self, operation: PatchResource, live_id: str) -> str | None:
        """What goes into If-Match: the version as planned, or as it became by our own earlier change in this run."""
        if not self._profile.wire.use_versions or operation.version is None or is_member_delta(operation.operations):
            return None
        return self._versions.get(live_id, operation.version)

    # --- members

    def _group(self, operation: PatchResource, live_id: str) -> Mapping[str, Json] | None:
        return self._writer.get(self._path(operation, live_id))

    def _members_before(self, operation: PatchResource, live_id: str) -> None:
        """Know the members before the first change of a group in this run, where they are shown."""
        if live_id not in self._members:
            try:
                self._members[live_id] = members_of(self._group(operation, live_id))
            except TargetError:
                self._members[live_id] = None

    def _patched_rest(
        self, operation: PatchResource, live_id: str, wanted: Operations, refusal: Refusal
    ) -> Answer | Refusal:
        """After "no such member": whoever is gone is gone (RFC 7644 §3.12); what is left of the chunk is sent once."""
        try:
            group = self._group(operation, live_id)
        except TargetError:
            return refusal
        shown = members_of(group)
        if group is None or (shown is None and not self._members.get(live_id)):
            return refusal
        left = still_needed(wanted, shown or frozenset())
        if not left:
            return Answer(status=200, body=group)
        return (
            refusal if left == wanted else self._changer.change(operation, self._path(operation, live_id), left, None)
        )

    def _checked(
        self,
        operation: PatchResource,
        live_id: str,
        wanted: Operations,
        answer: Answer,
        notes: list[str],
    ) -> Result:
        """Compare the members after a PATCH with what it asked for; members lost beyond that halt the run."""
        before = self._members.get(live_id)
        try:
            after = members_of(answer.body)
            after = members_of(self._group(operation, live_id)) if after is None else after
        except TargetError as trouble:
            del self._members[live_id]
            return _succeeded(operation, live_id, [*notes, f"the members could not be read back: {trouble.summary}"])
        if after is None and before is not None:
            # A group without members may leave the attribute out (RFC 7643 §2.5); this one showed it before.
            after = frozenset()
        self._members[live_id] = after
        if after is None:
            return _succeeded(operation, live_id, notes)
        lost = (before or frozenset()) - after - removed(wanted) - self._left
        if lost:
            self._sending.halt(f"in operation {operation.number} the server removed members that nobody took out")
            message = f"the server removed {len(lost)} members not in the plan: {self._people(lost)}"
            return Failed(number=operation.number, message=message, status=answer.status)
        notes += [f"not kept by the server: {self._people(each)}" for each in [added(wanted) - after] if each]
        notes += [f"still there: {self._people(each)}" for each in [removed(wanted) & after] if each]
        return _succeeded(operation, live_id, notes)

    # --- delete

    def delete(self, operation: DeleteResource) -> Result:
        """DELETE a resource; one that is gone already is success (RFC 7644 §3.6). Raises as `create`."""
        live_id = str(self._references.resolved(operation.live_id))
        path = self._path(operation, live_id)
        answer = self._sending.send(operation, "DELETE", path, None, lambda: self._writer.delete(path))
        if is_collision(answer):
            self._sleep(_FIRST_PAUSE)
            answer = self._sending.send(operation, "DELETE", path, None, lambda: self._writer.delete(path))
        gone_already = isinstance(answer, Refusal) and (is_gone(answer) or self._is_gone_by_now(path, answer))
        if isinstance(answer, Refusal) and not gone_already:
            return self._failed(operation, self._explained(operation, answer, ()))
        self._left.add(live_id)
        return _succeeded(operation, live_id, ["it was gone already"] if gone_already else [])

    def _is_gone_by_now(self, path: str, refusal: Refusal) -> bool:
        """Whether a deletion without an answer has happened."""
        try:
            return refusal.unknown and self._writer.get(path) is None
        except TargetError:
            return False

    def _failed(self, operation: Operation, refusal: Refusal, lead: str = "") -> Failed:
        if refusal.status == 401:
            self._sending.halt("the credential is no longer accepted")
        return Failed(
            number=operation.number,
            message=lead + in_words(refusal),
            status=refusal.status,
            unknown=refusal.unknown,
        )

    def _explained(self, operation: Operation, refusal: Refusal, sent: Iterable[str]) -> Refusal:
        return explained(operation, refusal, sent, self._profile.wire.rights)

    def _what(self, operations: Operations) -> str:
        """What a part of a change is about: whose membership, or which attributes."""
        if is_member_delta(operations):
            return self._people(added(operations) | removed(operations))
        return ", ".join(dict.fromkeys(short_path(each.path) for each in operations))

    def _people(self, ids: Collection[str]) -> str:
        """Members as people know them: by login, or by the address of who was made in this run."""
        return named([self._live[each].name if each in self._live else self._references.name_of(each) for each in ids])


def _succeeded(operation: Operation, live_id: str, notes: Sequence[str]) -> Succeeded:
    return Succeeded(number=operation.number, live_id=live_id, note="; ".join(notes))
