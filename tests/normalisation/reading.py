"""What is declared (YAML text) against what a server answers (SCIM JSON): the difference that a plan shows.

The server is a function that lists one user and one group; its rows go through `refresh`, as every other server's do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from reconciler.decoding import undescribed
from reconciler.model import AppliedState, AttributeChange, DesiredState, ListMode, PatchOp, Policy
from reconciler.profiles.profile import Profile
from reconciler.reconcile import Context, reconcile
from reconciler.refreshing import refresh
from tests.declarations.declaring import HERE, RFC, desired
from tests.transport.serving import reader

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GENESYS_USER = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
ACME = "urn:acme:params:scim:schemas:extension:badge:1.0:User"
BOB = {"id": "u2", "userName": "bob@x.example", "displayName": "Bob"}

Row = Mapping[str, Any]
Difference = tuple[str, PatchOp]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a plan shows. `not_compared`: the summaries of notices about what cannot be read."""

    changes: tuple[AttributeChange, ...]
    drift: tuple[AttributeChange, ...]
    not_compared: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def differences(self) -> list[Difference]:
        """Path and operation of everything that differs, whoever caused it."""
        return [(each.path, each.op) for each in (*self.changes, *self.drift)]


def declared_user(lines: str) -> str:
    """Declarations of Ann with these lines, and of Bob."""
    own = "".join(f"    {each}\n" for each in lines.splitlines())
    named = "" if "userName:" in lines else "    userName: ann@x.example\n"
    named += "" if "displayName:" in lines else "    displayName: Ann\n"
    return f"users:\n  ann:\n{named}{own}  bob: {{userName: bob@x.example, displayName: Bob}}\n"


def seen(folder: Path, lines: str, row: Row, profile: Profile = RFC, **modes: ListMode) -> Seen:
    """Ann as she is declared against a row of the listing of users; the row needs no more than what it is about."""
    target = replace(HERE, modes=modes)
    state = desired(folder, declared_user(lines), profile=profile, target=target)
    return compared(state, [{"id": "u1", **_login(row)}, BOB], [], profile)


def seen_group(folder: Path, lines: str, row: Row, profile: Profile = RFC) -> Seen:
    """A group as it is declared against a row of the listing of groups. Ann is u1, Bob u2, Cy u3."""
    people = "".join(f"  {each}: {{userName: {each}@x.example}}\n" for each in ("ann", "bob", "cy"))
    own = "".join(f"    {each}\n" for each in lines.splitlines())
    state = desired(folder, f"users:\n{people}groups:\n  team:\n    displayName: Team\n{own}", profile=profile)
    users = [{"id": f"u{n}", "userName": f"{each}@x.example"} for n, each in enumerate(("ann", "bob", "cy"), start=1)]
    return compared(state, users, [{"id": "g1", "displayName": "Team", "members": [], **row}], profile)


def compared(state: DesiredState, users: Sequence[Row], groups: Sequence[Row], profile: Profile) -> Seen:
    """Declarations against listings, without a record."""
    listings = {profile.wire.users_path: users, profile.wire.groups_path: groups}

    def answer(request: httpx.Request) -> httpx.Response:
        rows = listings[request.url.path.removeprefix("/v2")]
        if request.url.params.get("filter") == "active eq false":
            rows = []
        return httpx.Response(200, json={"totalResults": len(rows), "Resources": rows})

    live = refresh(reader(answer), profile, extensions=undescribed(state, profile))
    plan = reconcile(state, live, AppliedState(), profile, Policy(), Context(target="here")).plan
    return Seen(
        changes=tuple(each for change in plan.changes for each in change.attribute_changes),
        drift=tuple(each for change in plan.drift for each in change.attribute_changes),
        not_compared=tuple(each.summary for each in plan.notices if each.code == "not-compared"),
        refused=tuple(each.code for each in plan.refused),
    )


def _login(row: Row) -> dict[str, Any]:
    names = {name.lower() for name in row}
    given = {"userName": "ann@x.example", "displayName": "Ann"}
    return {**{name: value for name, value in given.items() if name.lower() not in names}, **row}
