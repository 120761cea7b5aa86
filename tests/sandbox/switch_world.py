"""A small world to try switches in: an organisation, short words for requests, and tables of what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from reconciler.sandbox import Access, SandboxTransport, Switches, open_sandbox, read_switches

ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GEN = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
BASE = "/api/v2/scim/v2"


@contextmanager
def sandbox(switches: Switches, profile: str = "genesys", access: Access | None = None) -> Iterator[World]:
    service = open_sandbox(None, profile, access=access, switches=switches)
    base = f"http://sandbox{BASE}" if profile == "genesys" else "http://sandbox/scim/v2"
    with httpx.Client(transport=SandboxTransport(service), base_url=base) as client:
        yield World(client)
    service.close()


class World:
    """One organisation and short words for what the tests do there; answers are cut down to what they ask about."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, login: str = "ann", /, **attributes: Any) -> httpx.Response:
        schemas = ["urn:ietf:params:scim:schemas:core:2.0:User", *(key for key in attributes if key.startswith("urn:"))]
        body = {"schemas": schemas, "userName": f"{login}@example.com", "displayName": login.title(), **attributes}
        return self.client.post("/Users", json=body)

    def person(self, login: str = "ann", /, **attributes: Any) -> str:
        answer = self.post(login, **attributes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def patch(self, path: str, *operations: dict[str, Any]) -> httpx.Response:
        return self.client.patch(path, json={"schemas": [PATCH_OP], "Operations": list(operations)})

    def change(
        self, path: str | None, value: Any, verb: str = "replace", *, login: str = "ann", **attributes: Any
    ) -> Any:
        """Create a person with some attributes, patch one, and return the person, or status and kind of refusal."""
        answer = self.patch(f"/Users/{self.person(login, **attributes)}", operation(verb, path, value))
        return answer.json() if answer.status_code == 200 else refused(answer)

    def put(self, before: dict[str, Any], after: dict[str, Any]) -> Any:
        path = f"/Users/{self.person(**before)}"
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@example.com", **after}
        answer = self.client.put(path, json={"displayName": "Ann", **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, **parameters: Any) -> Any:
        answer = self.client.get("/Users", params=parameters)
        if answer.status_code != 200:
            return refused(answer)
        return " ".join(it["userName"].partition("@")[0] for it in answer.json()["Resources"])

    def group(self) -> str:
        return f"/Groups/{self.client.get('/Groups?filter=displayName%20pr').json()['Resources'][-1]['id']}"

    def members(self, path: str, *operations: dict[str, Any]) -> Any:
        """Patch a group; return its member ids afterwards, or status and kind of refusal."""
        answer = self.patch(path, *operations)
        now = [it["value"] for it in self.client.get(path).json().get("members", [])]
        return now if answer.status_code == 200 else refused(answer)


def operation(verb: str, path: str | None, value: Any = None) -> dict[str, Any]:
    parts = {"op": verb, "path": path, "value": value}
    return {name: part for name, part in parts.items() if name == "op" or part is not None}


def refused(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    return answer.status_code, body.get("scimType") or body.get("code", "")


def values(resource: Any, name: str, part: str = "value") -> list[Any]:
    return [it[part] for it in resource.get(name, [])]


def from_settings(settings: dict[str, Any]) -> Switches:
    """Read switches the way a settings file gives them: camel case, lists, plain words."""
    text = yaml.safe_dump({camel(name): list(it) if isinstance(it, tuple) else it for name, it in settings.items()})
    return read_switches(yaml.safe_load(text))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return "".join([first, *(word.title() for word in rest)])


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried, and what comes of it under some settings of switches; the first is the default."""

    act: Callable[[World], Any]
    answers: list[tuple[dict[str, Any], Any]]
    profiles: tuple[str, ...] = ("genesys",)


def trial(act: Callable[[World], Any], *answers: tuple[dict[str, Any], Any], everywhere: bool = False) -> Trial:
    return Trial(act=act, answers=list(answers), profiles=("genesys", "rfc") if everywhere else ("genesys",))


def cases(trials: dict[str, Trial]) -> list[Any]:
    """Give every line of a table as one parameter set: trial, profile, settings, what is expected."""
    return [
        pytest.param(
            each, profile, settings, with_first(expected, profile), id=f"{name}-{profile}-{settings or 'default'}"
        )
        for name, each in trials.items()
        for profile in each.profiles
        for settings, expected in each.answers
    ]


def with_first(expected: Any, profile: str) -> Any:
    """Put the one person of a fresh organisation into expected names."""
    first = "breakglass" if profile == "genesys" else "root"
    if isinstance(expected, str):
        return expected.format(first=first)
    return [with_first(each, profile) for each in expected] if isinstance(expected, list) else expected
