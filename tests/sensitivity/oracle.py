"""A second opinion on what our PATCH bodies mean: scim2-models applies them to the resources as they were before.

Its own models of User, Group and the enterprise extension are used where it has them, and models that it makes from
the published schema for the extensions that it does not know.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union

import httpx
import scim2_models

from reconciler.sandbox import SandboxService
from reconciler.sandbox.messages import Request

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

Dump = Mapping[str, Sequence[Mapping[str, Any]]]


class Oracle:
    """Judges the PATCH requests of one organisation."""

    def __init__(self, service: SandboxService) -> None:
        answer = service.handle(Request(method="GET", target="/Schemas", headers={}, body=b"", origin="http://here"))
        documents = {each["id"]: each for each in json.loads(answer.body)["Resources"]}
        extensions = {urn: text for urn, text in documents.items() if ":core:" not in urn}
        self._models = _models(json.dumps(extensions, sort_keys=True))
        self.judged = 0

    def compare(self, before: Dump, requests: Sequence[httpx.Request], after: Dump) -> None:
        """Every resource that got a PATCH must now be what scim2-models makes of it."""
        patches: dict[tuple[str, str], list[Any]] = {}
        for each in requests:
            if each.method == "PATCH":
                endpoint, resource_id = each.url.path.strip("/").lower().split("/")[-2:]
                patches.setdefault(("User" if endpoint == "users" else "Group", resource_id), []).append(each)
        for (kind, resource_id), sent in patches.items():
            held = _found(before, kind, resource_id)
            if held is None:
                continue  # it was created in the same run, so nobody knows what it was before the PATCH
            model: Any = self._models[kind]
            theirs = _read(model, held)
            for request in sent:
                scim2_models.PatchOp[model].model_validate(json.loads(request.content)).patch(theirs)
            ours = _found(after, kind, resource_id)
            assert ours is not None
            bodies = [json.loads(each.content)["Operations"] for each in sent]
            assert _comparable(theirs) == _comparable(_read(model, ours)), bodies
            self.judged += 1


@cache
def _models(extensions: str) -> dict[str, Any]:
    known: list[Any] = []
    for urn, document in json.loads(extensions).items():
        plain = urn == ENTERPRISE and all(each["name"] != "dateHire" for each in document["attributes"])
        schema = scim2_models.Schema.model_validate(document)
        known.append(scim2_models.EnterpriseUser if plain else scim2_models.Extension.from_schema(schema))
    # the members are known at run time only, which mypy cannot follow
    user: Any = scim2_models.User[Union[tuple(known)]]  # type: ignore[misc]  # noqa: UP007
    return {"User": user, "Group": scim2_models.Group}


def _found(dump: Dump, kind: str, resource_id: str) -> Mapping[str, Any] | None:
    return next((each for each in dump[kind] if each["id"].lower() == resource_id), None)


def _read(model: Any, resource: Mapping[str, Any]) -> Any:
    kept = {name: value for name, value in resource.items() if name != "meta"}
    if "members" in kept:
        # the server tells users and groups apart by itself
        kept["members"] = [{"value": each["value"]} for each in kept["members"]]
    urn = f"urn:ietf:params:scim:schemas:core:2.0:{'User' if 'userName' in kept else 'Group'}"
    return model.model_validate({"schemas": [urn, *(each for each in kept if each.startswith("urn:"))], **kept})


def _comparable(resource: Any) -> Any:
    """In a form of its own: no schemas, lists without order, and `primary: false` is the same as none."""
    dumped = resource.model_dump()
    dumped.pop("schemas", None)
    return _plain(dumped)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        parts = {name: _plain(each) for name, each in value.items() if not (name == "primary" and each is False)}
        return {name: each for name, each in parts.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return sorted((_plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value
