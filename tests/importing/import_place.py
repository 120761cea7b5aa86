"""A folder with an embedded organisation, for imports."""

import json
from typing import Any

import yaml

from reconciler.sandbox import Request, open_sandbox
from tests.cli.in_process import QuickFolder
from tests.conftest import Ran

ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER, GROUP = (f"urn:ietf:params:scim:schemas:core:2.0:{each}" for each in ("User", "Group"))
ANN = {
    "userName": "ann.lee@example.com",
    "displayName": "Ann Lee",
    "name": {"givenName": "Ann", "familyName": "Lee"},
    "title": "Agent",
    "emails": [{"type": "work", "value": "ann.lee@example.com", "primary": True}, {"type": "home", "value": "a@b.c"}],
    "phoneNumbers": [{"type": "work", "value": "tel:+44-20-7946-0958;ext=12"}],
    "addresses": [{"type": "work", "locality": "Leeds", "country": "GB"}],
    "roles": [{"value": "agent"}, {"value": "lead"}],
    ENT: {"department": "Support", "employeeNumber": "000142"},
}
BOB = {"userName": "bob@example.com", "displayName": "Bob", ENT: {"department": "no"}}
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BASES = {"rfc": "/scim/v2", "genesys": "/api/v2/scim/v2"}
SETTINGS = "targets:\n  office: {profile: rfc, url: 'sandbox:'}\n"


class Place:
    """A folder with an embedded organisation that nobody has declared."""

    def __init__(self, folder: QuickFolder, profile: str = "rfc") -> None:
        self.folder = folder
        self.profile = profile
        folder.write("reconciler.yaml", SETTINGS.replace("rfc", profile))

    def asks(self, *requests: tuple[str, str, dict[str, Any]]) -> list[str]:
        """Send method, path and body past the tool, as others do; the ids of what was answered."""
        service = open_sandbox(self.folder.path / ".reconciler" / "sandbox" / "office", self.profile, None)
        ids: list[str] = []
        try:
            for method, path, body in requests:
                headers, data = {"content-type": "application/scim+json"}, json.dumps(body).encode()
                target = f"{BASES[self.profile]}{path}"
                answer = service.handle(
                    Request(method=method, target=target, headers=headers, body=data, origin="http://here")
                )
                assert answer.status in (200, 201, 204), answer.body
                ids.append(str(json.loads(answer.body)["id"]) if answer.body else "")
        finally:
            service.close()
        return ids

    def holds(self, *users: dict[str, Any], groups: dict[str, list[int]] | None = None) -> list[str]:
        """Users with these attributes, and groups of them by their numbers; the ids of all, users first."""
        ids = self.asks(*(("POST", "/Users", {"schemas": [USER], **each}) for each in users))
        members = {name: [{"value": ids[number]} for number in numbers] for name, numbers in (groups or {}).items()}
        bodies = [{"schemas": [GROUP], "displayName": name, "members": each} for name, each in members.items()]
        return ids + self.asks(*(("POST", "/Groups", each) for each in bodies))

    def joins(self, group: str, *users: str) -> None:
        """Somebody puts users into a group, by hand."""
        operation = {"op": "add", "path": "members", "value": [{"value": each} for each in users]}
        self.asks(("PATCH", f"/Groups/{group}", {"schemas": [PATCH], "Operations": [operation]}))

    def imported(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """What is declared after an import, as plain YAML readers see it."""
        ran = self.folder.run("import", *arguments)
        assert ran.code == 0, ran.out + ran.err
        return self.written()

    def written(self) -> dict[str, dict[str, Any]]:
        """Everything declared, without the administrator whom every embedded organisation has."""
        found: dict[str, dict[str, Any]] = {"users": {}, "groups": {}}
        for path in sorted((self.folder.path / "identities").rglob("*.yaml")):
            for kind, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
                found[kind] |= entries
        found["users"].pop("root", None)
        return found

    def plan(self) -> Ran:
        return self.folder.run("plan", "--detailed-exitcode")
