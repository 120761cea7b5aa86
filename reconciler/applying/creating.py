"""Creates one resource: by POST, or by finding that it is there already and bringing that to what was to be created."""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from reconciler.applying.changing import Changer
from reconciler.applying.judging import (
    explained,
    failed,
    id_in,
    is_collision,
    names_in,
    succeeded,
    taken_name,
    with_request,
)
from reconciler.applying.learnt import Learnt
from reconciler.applying.looking_up import user_called
from reconciler.applying.memberships import members_of
from reconciler.applying.restoring import restored, why_not_hers
from reconciler.applying.sending import Sending, path_of
from reconciler.model import CreateResource, Failed, Json, LiveResource, ResourceType, Result
from reconciler.profiles.profile import Profile
from reconciler.transport.answers import Answer, Refusal, version_of
from reconciler.transport.client import Writer

_TAKEN: Final = 409
_CONFIRMED: Final = "confirmed: it was made, although no answer came"


class Creator:
    """`known`: ids that accounts have or had before this run. `live`: who was there then; None if nobody has looked."""

    def __init__(
        self,
        writer: Writer,
        profile: Profile,
        sending: Sending,
        changer: Changer,
        learnt: Learnt,
        known: Collection[str],
        live: Mapping[str, LiveResource] | None,
    ) -> None:
        self._writer = writer
        self._profile = profile
        self._sending = sending
        self._changer = changer
        self._learnt = learnt
        self._known = frozenset(known)
        self._live = live

    def create(self, operation: CreateResource) -> Result:
        """POST it and remember its id. Raises Unresolved, RecordTrouble (before anything was sent)."""
        body = self._learnt.references.resolved(operation.body)
        answer = self._posted(operation, body)
        lead = ""
        if isinstance(answer, Refusal):
            answer, lead = self._met(operation, body, answer)
        if isinstance(answer, Refusal):
            refusal = explained(operation, answer, names_in(body), self._profile.wire.rights)
            return failed(operation, refusal, taken_name(answer, body))
        live_id = id_in(answer)
        if live_id is None:
            message = f"the server answered {answer.status} without an id"
            return Failed(number=operation.number, message=message, status=answer.status, unknown=True)
        self._learnt.references.give(operation.address, live_id)
        self._learnt.created(live_id, answer)
        if operation.address.resource_type is ResourceType.GROUP:
            self._learnt.saw_members(live_id, members_of(answer.body) or frozenset())
        return self._amended(operation, body, answer, live_id, lead)

    def _posted(self, operation: CreateResource, body: Mapping[str, Json]) -> Answer | Refusal:
        path = path_of(operation, self._profile)
        return self._sending.send(operation, "POST", path, body, lambda: self._writer.create(path, body))

    def _met(
        self, operation: CreateResource, body: Mapping[str, Json], refusal: Refusal
    ) -> tuple[Answer | Refusal, str]:
        """After "taken", or no answer: whoever has the login now, and how that is called; else what was answered.

        An account that the plan knew of belongs to somebody else. A collision that left nobody is tried once more.
        """
        login = body.get("userName")
        taken = refusal.status == _TAKEN
        if not isinstance(login, str) or not (taken or refusal.unknown):
            return refusal, ""
        found = user_called(self._writer, self._profile, login)
        if found is not None and self._live is not None and str(found.get("id")) not in self._live:
            why_not = why_not_hers(body, found, self._profile)
            if why_not:
                return replace(refusal, detail=why_not), ""
            lead = "restored: the server had this user already, and had not listed it" if taken else _CONFIRMED
            return Answer(status=200, body=found, version=version_of(found)), lead
        if found is None and is_collision(refusal) and not refusal.unknown:
            return self._posted(operation, body), ""
        return refusal, ""

    def _amended(
        self, operation: CreateResource, body: Mapping[str, Json], answer: Answer, live_id: str, lead: str
    ) -> Result:
        """Where an earlier account came back, what was sent is brought about on it; the words for that."""
        kind = operation.address.resource_type
        back = restored(body, answer, live_id, resource_type=kind, profile=self._profile, known=self._known)
        if back is None:
            return succeeded(operation, live_id, [lead] if lead else [])
        if lead == _CONFIRMED and (back.amends or set(back.brought) - set(self._profile.users.given_at_create)):
            lead = ""
        notes = [lead or f"restored: the server brought an earlier {kind.value} back"]
        if back.brought and lead != _CONFIRMED:
            notes.append(f"it came with what nobody declared: {', '.join(back.brought)}")
        if back.amends:
            path = path_of(operation, self._profile, live_id)
            came = self._changer.change(operation, path, back.amends, None)
            self._learnt.created(live_id, came)
            if isinstance(came, Refusal):
                notes.append(f"it could not be changed to what was sent: {with_request(came)}")
        return succeeded(operation, live_id, notes)
