"""What others do to the server behind our back, and what people do with plan files."""

import json
from pathlib import Path
from typing import Any

from reconciler.planfile import BESIDE, CHECKSUM, checksum, digest, written
from reconciler.planfile.shape import PLAN
from reconciler.sandbox import Request
from tests.cli.in_process import QuickFolder
from tests.cli.provider import Provider
from tests.conftest import Ran
from tests.git.company import Company, apply

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def patch(running: Provider, key: str, path: str, value: object) -> None:
    """Somebody changes one attribute of one user."""
    live_id = running.users()[f"{key}@example.com"]["id"]
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}
    _done(running, "PATCH", f"/scim/v2/Users/{live_id}", body)


def make(running: Provider, key: str, **more: object) -> None:
    """Somebody makes an account."""
    _done(running, "POST", "/scim/v2/Users", {"schemas": [SCHEMA], "userName": f"{key}@example.com", **more})


def delete(running: Provider, key: str) -> None:
    """Somebody deletes an account."""
    live_id = running.users()[f"{key}@example.com"]["id"]
    _done(running, "DELETE", f"/scim/v2/Users/{live_id}", None)


def _done(running: Provider, method: str, target: str, body: object) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    answer = running.service.handle(Request(method=method, target=target, body=content))
    assert answer.status < 300, answer.body


def saved(company: Company, name: str = "plan.json", *more: str, folder: QuickFolder | None = None) -> Path:
    """A saved plan, outside of the checkout."""
    file = company.world.folder / name
    ran = (folder or company.seed).run("plan", "--out", str(file), *more)
    assert ran.code in (0, 3), ran.out + ran.err
    company.running.asked.clear()
    return file


def promoted(company: Company) -> Path:
    """Two people are in place; the plan gives one a title and adds a third."""
    company.applied()
    company.declare("ann.lee", "bob.li", "cem.o", ann_lee="Lead")
    return saved(company)


def apply_file(company: Company, file: Path, *more: str, folder: QuickFolder | None = None) -> Ran:
    company.running.asked.clear()
    return apply(folder or company.seed, str(file), *more)


def digest_of(file: Path) -> str:
    return str(json.loads(file.read_text())["digest"])


def forged(file: Path, change: Any) -> None:
    """Whoever can write the file alters it, and makes digest and checksum fit again."""
    document = json.loads(file.read_text())
    change(document)
    document["digest"] = _digest(document)
    document[CHECKSUM] = checksum(document)
    file.write_bytes(written(document))


def _digest(document: dict[str, Any]) -> str:
    members = {name: each for name, each in document.items() if name not in {"digest", *BESIDE}}
    return digest(PLAN.decode(members))
