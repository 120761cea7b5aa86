"""Performs one operation: the requests it takes, and what their answers mean. Decides nothing about other operations.

Halts the run where members vanish although nobody took them out. A credential that is no longer accepted, a server that
has fallen silent and an audit that cannot be written are noticed in `sending`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec.structs import replace

from reconciler.applying.changing import Changer, InParts, stale_refusal
from reconciler.applying.creating import Creator
from reconciler.applying.judging import (
    explained,
    failed,
    in_words,
    is_collision,
    is_gone,
    is_no_target,
    named,
    succeeded,
)
from reconciler.applying.learnt import Compared, Learnt, Members
from reconciler.applying.meanwhile import identity_changes
from reconciler.applying.memberships import (
    Operations,
    added,
    except_for,
    is_member_delta,
    members_of,
    removed,
    still_needed,
)
from reconciler.applying.references import Unresolved
from reconciler.applying.sending import Sending, path_of
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
from reconciler.scim.paths import short_path
from reconciler.transport.answers import Answer, Refusal
from reconciler.transport.client import Writer

Live: TypeAlias = Mapping[str, LiveResource]
_GONE: Final = "it was gone already"
_FIRST_PAUSE: Final = 0.5
"""Seconds before the first new try about something that was created a moment ago."""


class Performer:
    """Performs single operations of one run. Several threads may use it at once, as far as `Learnt` says."""

    def __init__(
        self,
        writer: Writer,
        profile: Profile,
        sending: Sending,
        members: Members,
        sleep: Callable[[float], None],
        known: Collection[str],
        live: Live | None,
    ) -> None:
        self._live = {} if live is None else live
        self._sleep = sleep
        self._writer = writer
        self._profile = profile
        self._sending = sending
        self._changer = Changer(writer, profile, sending.send, sleep)
        self._learnt = Learnt(members)
        self._creator = Creator(writer, profile, sending, self._changer, self._learnt, known, live)

    def create(self, operation: CreateResource) -> Result:
        """POST a resource and remember its id. Raises Unresolved, RecordTrouble (before anything was sent)."""
        return self._creator.create(operation)

    # --- patch

    def patch(self, operation: PatchResource) -> Result:
        """PATCH a resource, and look at the members of a group afterwards. Raises as `create`."""
        live_id = str(self._learnt.references.resolved(operation.live_id))
        chunk = is_member_delta(operation.operations)
        operations, missing = (
            self._learnt.references.without_missing(operation.operations) if chunk else (operation.operations, ())
        )
        if not operations:
            raise Unresolved(missing[0])
        wanted = tuple(replace(each, value=self._learnt.references.resolved(each.value)) for each in operations)
        is_group = operation.address.resource_type is ResourceType.GROUP
        if is_group:
            self._members_before(operation, live_id)
        answer = self._settled(operation, live_id, wanted)
        if isinstance(answer, Refusal) and chunk and removed(wanted) and is_no_target(answer):
            answer = self._patched_rest(operation, live_id, wanted, answer)
        if isinstance(answer, Refusal):
            parts = self._changer.in_parts(operation, path_of(operation, self._profile, live_id), wanted, answer)
        else:
            parts = InParts(answer=answer)
        for _, refusal in parts.refused:
            if refusal.unknown:
                self._learnt.forget(live_id)
        if parts.answer is None:
            part, refusal = parts.refused[0]
            return failed(operation, self._explained(operation, refusal, (each.path for each in part)))
        done = except_for(wanted, [each for part, _ in parts.refused for each in part])
        self._learnt.changed(live_id, parts.answer)
        if any(each.path == "active" and each.value is False for each in done):
            self._learnt.left(live_id)
        notes = [f"without {each.removeprefix(BULK_ID)}, not created" for each in missing]
        result: Result = succeeded(operation, live_id, notes)
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
        path = path_of(operation, self._profile, live_id)
        version = self._learnt.version(operation, live_id) if self._profile.wire.use_versions else None
        before = self._before(operation, live_id)
        answer = self._changer.change(operation, path, wanted, version, before)
        waited, pause = 0.0, _FIRST_PAUSE
        fresh = self._learnt.references.are_fresh({live_id, *added(wanted)})
        while fresh and isinstance(answer, Refusal) and answer.status == 404:
            if waited + pause > self._profile.lifecycle.settles_within:
                break
            self._sleep(pause)
            waited, pause = waited + pause, pause * 2
            answer = self._changer.change(operation, path, wanted, version, before)
        return answer

    def _before(self, operation: Operation, live_id: str) -> LiveResource | None:
        """The resource as this change found it: as planned on, or as our own earlier change of this run left it."""
        body = self._learnt.body(live_id)
        if body is None:
            return self._live.get(live_id)
        return Decoder(operation.address.resource_type, self._profile).decode({**body, "id": live_id})

    # --- members

    def _group(self, operation: PatchResource, live_id: str) -> Mapping[str, Json] | None:
        return self._writer.get(path_of(operation, self._profile, live_id))

    def _members_before(self, operation: PatchResource, live_id: str) -> None:
        """Know the members before the first change of a group in this run, where they are shown."""
        if not self._learnt.knows_members(live_id):
            try:
                self._learnt.saw_members(live_id, members_of(self._group(operation, live_id)))
            except TargetError:
                self._learnt.saw_members(live_id, None)

    def _patched_rest(
        self, operation: PatchResource, live_id: str, wanted: Operations, refusal: Refusal
    ) -> Answer | Refusal:
        """After "no such member": whoever is gone is gone (RFC 7644 §3.12); what is left of the chunk is sent once."""
        try:
            group = self._group(operation, live_id)
        except TargetError:
            return refusal
        shown = members_of(group)
        if group is None or (shown is None and not self._learnt.had_members(live_id)):
            return refusal
        left = still_needed(wanted, shown or frozenset())
        if not left:
            return Answer(status=200, body=group)
        if left == wanted:
            return refusal
        return self._changer.change(operation, path_of(operation, self._profile, live_id), left, None)

    def _checked(
        self, operation: PatchResource, live_id: str, wanted: Operations, answer: Answer, notes: list[str]
    ) -> Result:
        """Compare the members after a PATCH with what it asked for; members lost beyond that halt the run."""
        try:
            shown = members_of(answer.body)
            shown = members_of(self._group(operation, live_id)) if shown is None else shown
        except TargetError as trouble:
            self._learnt.lost_sight_of(live_id)
            return succeeded(operation, live_id, [*notes, f"the members could not be read back: {trouble.summary}"])
        found = self._learnt.compared(live_id, wanted, shown)
        if found is not None and found.lost:
            self._sending.halt(f"in operation {operation.number} the server removed members that nobody took out")
            message = f"the server removed {len(found.lost)} members not in the plan: {self._people(found.lost)}"
            return Failed(number=operation.number, message=message, status=answer.status)
        return succeeded(operation, live_id, [*notes, *(self._unkept(found) if found is not None else ())])

    def _unkept(self, found: Compared) -> list[str]:
        """Members that were to come and are not there, or were to go and are."""
        said = {"not kept by the server": found.not_kept, "still there": found.still_there}
        return [f"{what}: {self._people(each)}" for what, each in said.items() if each]

    # --- delete

    def delete(self, operation: DeleteResource) -> Result:
        """DELETE a resource; one that is gone already is success (RFC 7644 §3.6). Raises as `create`.

        It is read first: what cannot be undone is not done to an account that came back, or bears another name, since
        the listing, nor to a group that somebody joined.
        """
        live_id = str(self._learnt.references.resolved(operation.live_id))
        path = path_of(operation, self._profile, live_id)
        now = self._changer.read(path, "so it is not deleted")
        if isinstance(now, Refusal):
            # one that is listed and denied by id is deleted all the same: then the server says itself that it is gone
            if not is_gone(now):
                return failed(operation, now)
        elif stale := self._no_more_as_planned(operation, live_id, now):
            # no status: nothing was sent that the server could have refused
            return failed(operation, replace(stale_refusal(stale), status=None))
        answer = self._sending.send(operation, "DELETE", path, None, lambda: self._writer.delete(path))
        if is_collision(answer):
            self._sleep(_FIRST_PAUSE)
            answer = self._sending.send(operation, "DELETE", path, None, lambda: self._writer.delete(path))
        gone_already = isinstance(answer, Refusal) and (is_gone(answer) or self._is_gone_by_now(path, answer))
        if isinstance(answer, Refusal) and not gone_already:
            return failed(operation, self._explained(operation, answer, ()))
        self._learnt.left(live_id)
        return succeeded(operation, live_id, [_GONE] if gone_already else [])

    def _no_more_as_planned(self, operation: DeleteResource, live_id: str, now: Mapping[str, Json]) -> list[str]:
        """What others have changed since the listing that speaks against deleting it, as people read it."""
        before = self._before(operation, live_id)
        stale = [] if before is None else identity_changes(before, now, self._profile)
        joined = self._learnt.joined(live_id, members_of(now))
        return [*stale, *([f"members {self._people(joined)}"] if joined else [])]

    def _is_gone_by_now(self, path: str, refusal: Refusal) -> bool:
        """Whether a deletion without an answer has happened."""
        try:
            return refusal.unknown and self._writer.get(path) is None
        except TargetError:
            return False

    def _explained(self, operation: Operation, refusal: Refusal, sent: Iterable[str]) -> Refusal:
        return explained(operation, refusal, sent, self._profile.wire.rights)

    def _what(self, operations: Operations) -> str:
        """What a part of a change is about: whose membership, or which attributes."""
        if is_member_delta(operations):
            return self._people(added(operations) | removed(operations))
        return ", ".join(dict.fromkeys(short_path(each.path) for each in operations))

    def _people(self, ids: Collection[str]) -> str:
        """Members as people know them: by login, or by the address of who was made in this run."""
        made = self._learnt.references
        return named([self._live[each].name if each in self._live else made.name_of(each) for each in ids])
