"""The embedded provider, twisted where a test wants it, and short ways to write operations."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
from msgspec.structs import replace

from reconciler.applying import execute
from reconciler.model import (
    Address,
    CreateResource,
    DeleteResource,
    Json,
    Operation,
    PatchOp,
    PatchOperation,
    PatchResource,
    ResourceType,
    Result,
    known_after_apply,
)
from reconciler.profiles.profile import RFC, Profile
from reconciler.sandbox import open_sandbox
from reconciler.sandbox.transport import SandboxTransport
from reconciler.scim.attributes import CORE_GROUP, CORE_USER, GROUP_ATTRIBUTES
from reconciler.scim.paths import item_path
from reconciler.transport.client import Writer
from tests.transport.serving import FakeTime

Forward = Callable[[httpx.Request], httpx.Response]
Twist = Callable[[httpx.Request, Forward], httpx.Response]


class World(httpx.BaseTransport):
    """A fresh organisation, and every request that reached it or was answered in its place by `twist`."""

    def __init__(self, profile: Profile = RFC) -> None:
        self.profile = profile
        self.service = open_sandbox(None, profile.name)
        self.time = FakeTime()
        self.asked: list[httpx.Request] = []
        self.twist: Twist | None = None
        self._inner = SandboxTransport(self.service)
        self.writer = Writer(
            base_url="http://sandbox.localhost", wire=profile.wire, signer=None, transport=self, clock=self.time.clock
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.twist is not None:
            return self.twist(request, self._inner.handle_request)
        return self._inner.handle_request(request)

    def run(self, *operations: Operation, **more: Any) -> tuple[Result, ...]:
        """Execute, counting from here on only what this run asks."""
        self.asked.clear()
        more = {"audit": None, "sleep": self.time.sleep} | more
        return execute(operations, self.writer, self.profile, **more)

    def settling(self, seconds: float) -> None:
        """Give the profile time until a write shows."""
        self.profile = replace(self.profile, lifecycle=replace(self.profile.lifecycle, settles_within=seconds))

    @property
    def requests(self) -> list[tuple[str, str]]:
        return [(each.method, each.url.path) for each in self.asked]

    def user(self, name: str, **attributes: Json) -> str:
        """Create a user beside the client; its id."""
        return self._made("/Users", {"schemas": [CORE_USER], "userName": name, **attributes})

    def group(self, name: str, *members: str) -> str:
        """Create a group beside the client; its id."""
        body = {"schemas": [CORE_GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        return self._made("/Groups", body)

    def version(self, user_id: str) -> str:
        return str(self._stored("/Users/" + user_id)["meta"]["version"])

    def stored_user(self, user_id: str) -> dict[str, Any]:
        return self._stored("/Users/" + user_id)

    def members(self, group_id: str) -> set[str]:
        return {each["value"] for each in self._stored("/Groups/" + group_id).get("members", ())}

    def exists(self, path: str) -> bool:
        return self._inner.handle_request(httpx.Request("GET", "http://sandbox.localhost" + path)).status_code == 200

    def change(self, path: str, *operations: dict[str, Any]) -> None:
        """Change something behind the client's back."""
        message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}
        request = httpx.Request("PATCH", "http://sandbox.localhost" + path, json=message)
        assert self._inner.handle_request(request).status_code in (200, 204)

    def remove(self, path: str) -> None:
        """Delete something behind the client's back."""
        request = httpx.Request("DELETE", "http://sandbox.localhost" + path)
        assert self._inner.handle_request(request).status_code == 204

    def _made(self, path: str, body: dict[str, Any]) -> str:
        response = self._inner.handle_request(httpx.Request("POST", "http://sandbox.localhost" + path, json=body))
        response.read()
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def _stored(self, path: str) -> dict[str, Any]:
        response = self._inner.handle_request(httpx.Request("GET", "http://sandbox.localhost" + path))
        response.read()
        assert response.status_code == 200, response.text
        return dict(response.json())


def user_address(key: str) -> Address:
    return Address(ResourceType.USER, key)


def group_address(key: str) -> Address:
    return Address(ResourceType.GROUP, key)


def create_user(number: int, key: str, after: Sequence[int] = (), **attributes: Json) -> CreateResource:
    body = {"schemas": [CORE_USER], "userName": f"{key}@example.com", **attributes}
    return CreateResource(number=number, address=user_address(key), body=body, depends_on=tuple(after))


def create_group(number: int, key: str) -> CreateResource:
    body = {"schemas": [CORE_GROUP], "displayName": key}
    return CreateResource(number=number, address=group_address(key), body=body)


def patch_user(
    number: int, key: str, live_id: str | None, after: Sequence[int] = (), version: str | None = None, **values: Json
) -> PatchResource:
    return PatchResource(
        number=number,
        address=user_address(key),
        live_id=live_id or known_after_apply(user_address(key)),
        operations=tuple(PatchOperation(op=PatchOp.REPLACE, path=name, value=value) for name, value in values.items()),
        version=version,
        depends_on=tuple(after),
    )


def patch_members(
    number: int,
    key: str,
    live_id: str | None,
    *,
    add: Sequence[str] = (),
    take: Sequence[str] = (),
    after: Sequence[int] = (),
) -> PatchResource:
    """Member changes as the planner writes them: one removal each, additions together."""
    attribute = GROUP_ATTRIBUTES.get("members")
    assert attribute is not None
    operations = [PatchOperation(op=PatchOp.REMOVE, path=item_path(attribute, each)) for each in take]
    if add:
        values = [{"value": each} for each in add]
        operations.append(PatchOperation(op=PatchOp.ADD, path="members", value=values))
    return PatchResource(
        number=number,
        address=group_address(key),
        live_id=live_id or known_after_apply(group_address(key)),
        operations=tuple(operations),
        depends_on=tuple(after),
    )


def delete_user(number: int, key: str, live_id: str, after: Sequence[int] = ()) -> DeleteResource:
    return DeleteResource(number=number, address=user_address(key), live_id=live_id, depends_on=tuple(after))
