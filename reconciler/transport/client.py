"""The two clients of a service provider. A `Reader` can only GET; a `Writer` is a Reader that can also write.

Who only plans gets a Reader: it has no method that writes, and its channel refuses every other verb at the wire.
Knows requests and answers, not plans: single failures of a Writer are values (`Refusal`), and what makes working with
the service provider impossible is a `TargetError`.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Self, TypeVar

import httpx
import orjson
from msgspec.structs import replace

from reconciler.errors import NotScim, SignInFailed, TargetError, Unreachable
from reconciler.model import Json, PatchOperation
from reconciler.profiles.profile import WireRules
from reconciler.transport.answers import Answer, Refusal, error_of, request_id_of
from reconciler.transport.channel import Channel, Reply, Silence
from reconciler.transport.listing import Listing, Page, PageRefused, complete_listing
from reconciler.transport.replies import answer_of, document_of, page_of, refusal_of, without_filter
from reconciler.transport.throttle import Clock, Turn, Withheld
from reconciler.transport.wording import no_credential, not_scim, redirected, refused_status, shown_url

_T = TypeVar("_T")

PATCH_MESSAGE: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_PAGES_AT_ONCE: Final = 4
_GONE: Final = (404, 410)
_NO_PAGING_MATTER: Final = (401, 403, 404)
_PERHAPS_DONE: Final = (502, 504)


class Reader:
    """Reads a service provider; there is nothing on it that writes.

    `base_url`: where ``/Users`` hangs. `signer`: None for no credential. `transport`: None for the network.
    """

    _methods: ClassVar[frozenset[str]] = frozenset({"GET"})

    def __init__(
        self,
        *,
        base_url: str,
        wire: WireRules,
        signer: httpx.Auth | None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._wire = wire
        self._clock = clock or Clock()
        self._base_url = base_url.rstrip("/")
        self._signs = signer is not None
        self._bases: dict[str, httpx.URL] = {}
        self._most_rows = sys.maxsize
        # a transport of the caller's answers in process: there is nothing to wait for
        self._threads = _PAGES_AT_ONCE if transport is None else 1
        self._channel = Channel(base_url, wire, signer, methods=self._methods, transport=transport, clock=self._clock)

    @property
    def requests(self) -> int:
        """How many SCIM requests were sent, retries included."""
        return self._channel.requests

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Json] | None:
        """One resource; None where the server says that there is none. Raises TargetError for anything else.

        A web page with status 404 is no word about a resource, and raises.
        """
        reply = self._read(path, params)
        if reply.status in _GONE:
            if error_of(reply.body)[1] == "(a web page)":
                raise not_scim(reply.url, "a web page")
            return None
        if reply.status != httpx.codes.OK:
            raise self._refused(reply)
        return document_of(reply)

    def listing(
        self,
        path: str,
        *,
        filter: str | None = None,
        attributes: Sequence[str] = (),
        to_the_end: bool = False,
        may_be_cut: bool = False,
    ) -> Listing:
        """All resources under a path (RFC 7644 §3.4.2), whole or not at all: else raises IncompleteListing.

        `filter` is a SCIM filter, not percent-encoded; `attributes` names what to return, empty for the default set.
        `to_the_end`: its totals are not to be trusted from the start. `may_be_cut`: what the server lists is enough.
        """
        fixed = {"filter": filter} if filter else {}
        if attributes:
            fixed["attributes"] = ",".join(attributes)

        def walked(base: httpx.URL | None) -> Listing:
            return self._walked(path, fixed, base, to_the_end, may_be_cut)

        if not filter:
            return self._by_either_base(path, walked)
        try:
            return walked(self._bases.get(path))
        except PageRefused as refused:
            if refused.status == httpx.codes.BAD_REQUEST and not refused.later:
                raise without_filter(refused, filter) from None
            raise

    def glance(self, path: str) -> Page:
        """One row of a listing at most, and how many there are said to be. Raises TargetError as `listing`."""
        return self._by_either_base(path, lambda base: self._page(path, {"startIndex": "1", "count": "1"}, base))

    def service_provider_config(self) -> Mapping[str, Json] | None:
        """What the service provider says of itself (RFC 7644 §4); None where it says nothing that can be read.

        Raises Unreachable without an answer, SignInFailed where signing fails.
        """
        outcome = self._channel.exchange("GET", "/ServiceProviderConfig")
        if isinstance(outcome, Silence):
            raise Unreachable(outcome.summary, outcome.mend)
        try:
            return document_of(outcome) if outcome.status == httpx.codes.OK else None
        except NotScim:
            return None

    @property
    def requests_per_minute(self) -> int | None:
        """How many requests a minute may hold, as far as that is known by now."""
        return self._channel.per_minute

    def ask_limits(self) -> None:
        """Keep to the limit that the provider lists, if its profile knows where; an answer without one changes nothing.

        Raises Unreachable without a connection, SignInFailed where signing fails.
        """
        wire = self._wire
        if wire.limits_path is None or wire.limit_key is None:
            return
        outcome = self._channel.exchange("GET", wire.limits_path, base=self._channel.root, patient=False)
        if isinstance(outcome, Silence):
            if outcome.sent:
                return
            raise Unreachable(outcome.summary, outcome.mend)
        try:
            listed = document_of(outcome).get("entities") if outcome.status == httpx.codes.OK else None
        except NotScim:
            return
        rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        values = [each.get("value") for each in rows if str(each.get("key", "")).endswith(wire.limit_key)]
        limits = [int(each) for each in values if isinstance(each, int | float) and each >= 1]
        if limits:
            self._channel.allow(min(limits))

    def page_by(self, wire: WireRules) -> None:
        """Walk listings by these rules from now on; what the requests themselves look like stays as it was."""
        self._wire = wire

    def close(self) -> None:
        """Give the connections back."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_either_base(self, path: str, ask: Callable[[httpx.URL | None], _T]) -> _T:
        """The answer under the base URL, or under the one that lists the same where the first one does not."""
        try:
            return ask(self._bases.get(path))
        except PageRefused as refused:
            other = self._channel.with_end(self._wire.other_bases)
            refused_at_once = refused.status == httpx.codes.BAD_REQUEST and not refused.later
            if not refused_at_once or other is None or path in self._bases:
                raise
            self._bases[path] = other
            return ask(other)

    def _walked(
        self, path: str, fixed: Mapping[str, str], base: httpx.URL | None, to_the_end: bool, may_be_cut: bool
    ) -> Listing:
        def ask(paging: Mapping[str, str]) -> Page:
            return self._page(path, {**fixed, **paging}, base)

        where, wire = shown_url(str(base or self._base_url) + path), self._wire
        return complete_listing(
            ask,
            wire.page_size,
            where,
            self._clock.sleep,
            threads=1 if to_the_end else self._threads,
            paging=wire.paging,
            to_the_end=to_the_end,
            may_be_cut=may_be_cut,
        )

    def _page(self, path: str, params: Mapping[str, str], base: httpx.URL | None) -> Page:
        reply = self._page_or_less(path, params, base)
        if reply.status == httpx.codes.OK:
            return page_of(reply)
        refused = self._refused(reply)
        if reply.status in _NO_PAGING_MATTER or self._channel.means_later(reply):
            raise refused
        raise PageRefused(refused.summary, refused.mend, error_of(reply.body)[0], reply.status)

    def _page_or_less(self, path: str, params: Mapping[str, str], base: httpx.URL | None) -> Reply:
        """One page; where it is answered "later", half of it, and so on down to the least that is worth asking for."""
        least = self._wire.least_page_size
        while True:
            rows = min(int(params["count"]), self._most_rows) if "count" in params else None
            less = least is not None and rows is not None and rows > least
            asked = params if rows is None else {**params, "count": str(rows)}
            reply = self._read(path, asked, base, patient=not less)
            if not less or rows is None or least is None or reply.status != httpx.codes.TOO_MANY_REQUESTS:
                return reply
            self._most_rows = max(least, rows // 2)

    def _read(
        self, path: str, params: Mapping[str, str] | None, base: httpx.URL | None = None, *, patient: bool = True
    ) -> Reply:
        outcome = self._channel.exchange("GET", path, params=params, base=base, patient=patient)
        if isinstance(outcome, Silence):
            raise Unreachable(outcome.summary, outcome.mend)
        if outcome.is_redirect:
            raise NotScim(
                redirected(outcome.url, outcome.headers.get("Location", "")), "write the final address as the url"
            )
        if outcome.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self._refused(outcome)
        return outcome

    def _refused(self, reply: Reply) -> TargetError:
        detail, request_id = self._channel.redact(error_of(reply.body)[1]), request_id_of(reply.headers)
        said = ", ".join(each for each in (detail, f"request {request_id}" if request_id else "") if each)
        if reply.status == httpx.codes.UNAUTHORIZED and not self._signs:
            return no_credential(reply.url, said, self._wire.environment)
        return refused_status(reply.url, reply.status, said, self._wire.rights_hint, self._right_to_read(reply.url))

    def _right_to_read(self, url: httpx.URL) -> str:
        """What reading at an address takes, as far as the profile knows; empty otherwise."""
        paths = {"users.read": self._wire.users_path, "groups.read": self._wire.groups_path}
        return next(
            (self._wire.rights.get(each, "") for each, path in paths.items() if f"{path}/" in f"{url.path}/"), ""
        )


class Writer(Reader):
    """Reads and writes. Every write answers with `Answer` or `Refusal` and raises nothing."""

    _methods: ClassVar[frozenset[str]] = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})

    def take_turns(self, turn: Turn) -> None:
        """Ask `turn` before each write, and let it know while a request waits."""
        self._channel.take_turns(turn)

    def create(self, path: str, body: Mapping[str, Json]) -> Answer | Refusal:
        """POST a new resource (RFC 7644 §3.3)."""
        return self._write("POST", path, body, None)

    def patch(self, path: str, operations: Sequence[PatchOperation], version: str | None) -> Answer | Refusal:
        """PATCH a resource (RFC 7644 §3.5.2); `version` goes into If-Match, None sends none."""
        message = {"schemas": [PATCH_MESSAGE], "Operations": [_operation(each) for each in operations]}
        return self._write("PATCH", path, message, version)

    def replace(self, path: str, body: Mapping[str, Json], version: str | None) -> Answer | Refusal:
        """PUT a resource (RFC 7644 §3.5.1)."""
        return self._write("PUT", path, body, version)

    def delete(self, path: str, version: str | None = None) -> Answer | Refusal:
        """DELETE a resource (RFC 7644 §3.6)."""
        return self._write("DELETE", path, None, version)

    def _write(self, method: str, path: str, body: Mapping[str, Any] | None, version: str | None) -> Answer | Refusal:
        headers = {"If-Match": version} if version is not None else {}
        data = write_json(body) if body is not None else None
        most = self._wire.max_body
        if most is not None and data is not None and len(data) > most:
            return Refusal(status=413, detail=f"{len(data):,} bytes in one request; {most:,} is the most")
        try:
            outcome = self._channel.exchange(method, path, body=data, headers=headers)
        except SignInFailed as failure:
            return Refusal(status=401, detail=failure.summary)
        except NotScim as failure:
            return Refusal(status=None, detail=failure.summary, unknown=True)
        except Withheld as failure:
            return Refusal(status=None, detail=failure.summary, withheld=True)
        except TargetError as failure:
            return Refusal(status=None, detail=failure.summary)
        if isinstance(outcome, Silence):
            return Refusal(status=None, detail=outcome.summary, unknown=outcome.sent, attempts=outcome.attempts)
        return self._judged(method, outcome)

    def _judged(self, method: str, reply: Reply) -> Answer | Refusal:
        if reply.is_redirect:
            return refusal_of(reply, detail=redirected(reply.url, reply.headers.get("Location", "")))
        if not 200 <= reply.status < 300:
            scim_type, detail = error_of(reply.body)
            # A create that was sent twice may meet itself.
            repeated = method == "POST" and reply.status == httpx.codes.CONFLICT and reply.attempts > 1
            unknown = reply.status in _PERHAPS_DONE or repeated
            found = refusal_of(reply, detail=self._channel.redact(detail), scim_type=scim_type, unknown=unknown)
            return replace(found, later=self._channel.means_later(reply))
        if reply.status == httpx.codes.ACCEPTED:
            return refusal_of(reply, detail="accepted, but not done yet", unknown=True)
        if method == "DELETE" or not reply.body.strip():
            return answer_of(reply, None)
        try:
            return answer_of(reply, document_of(reply))
        except NotScim as failure:
            return refusal_of(reply, detail=failure.summary, unknown=True)


def write_json(document: Any) -> bytes:
    """JSON as UTF-8; lone surrogates and huge numbers, which orjson refuses, as escapes (RFC 8259 §8.2)."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document).encode("ascii")


def _operation(operation: PatchOperation) -> dict[str, Json]:
    members: dict[str, Json] = {"op": operation.op.value, "path": operation.path}
    return members if operation.value is None else members | {"value": operation.value}
