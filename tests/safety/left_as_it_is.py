"""The rails about one identity, as stories: whoever is left as it is while all others go on."""

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import quick
from tests.cli.provider import Provider, people
from tests.git.company import TEAM
from tests.git.test_causes import others
from tests.git.test_proof_before_a_removal import stranger
from tests.safety.rails import Rail, Story, applied, apply, crew, declared, founded, with_accept

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def live(running: Provider, resource: Mapping[str, object], kind: str = "User") -> None:
    """An account or a group that others made."""
    body = {"schemas": [f"urn:ietf:params:scim:schemas:core:2.0:{kind}"], **resource}
    running.service.handle(Request(method="POST", target=f"/scim/v2/{kind}s", body=json.dumps(body).encode()))


def inactive_account(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        live(running, {"userName": "zoe@x.example", "active": False, "roles": [{"value": "Boss"}]})
        folder.write("identities/a.yaml", declared("p0", "zoe"))
        yield folder.run("plan")
        folder.write("identities/a.yaml", declared("p0", "zoe", zoe=", active: false"))
        yield folder.run("plan")


def swapped(path: Path) -> Story:
    before = declared("p0", "p1")
    after = before.replace("p0@", "x@").replace("p1@", "p0@").replace("x@", "p1@")
    with applied(path, before) as (folder, _):
        folder.write("identities/a.yaml", after)
        yield apply(folder)
        folder.write("identities/a.yaml", after.replace("p1@", "somebody.else@", 1))
        assert apply(folder).code == 0
        folder.write("identities/a.yaml", after)
        yield apply(folder)


def not_proved(path: Path) -> Story:
    """An apply of what nobody committed, accepted, is all that the record has to show for her."""
    with founded(path) as company:
        company.seed.write("identities/a.yaml", people(*TEAM, "eve.x"))
        accepted = list(with_accept(company.seed))
        assert accepted[-1].code == 0
        company.declare(*TEAM, ann_lee="Lead")
        yield apply(company.seed)
        company.world.commit({"identities/r.yaml": "released: [eve.x]\n"})
        yield apply(company.seed)


def twins(path: Path) -> Story:
    """Somebody is new here, and the server has two accounts of her name."""
    with applied(path, declared("p0") + crew("p0")) as (folder, running):
        live(running, {"userName": "zoe@x.example"})
        twice(running)
        folder.write("identities/a.yaml", declared("p0", "zoe") + crew("p0", "zoe"))
        yield apply(folder)
        running.before = lambda request: None
        yield apply(folder)


def twice(running: Provider, login: str = "zoe@x.example") -> None:
    """The server lists another account of a login from now on, which only the case tells apart."""

    def listed(request: Request) -> Response | None:
        found = running.service.handle(request)
        if request.method != "GET" or not request.target.startswith("/scim/v2/Users?"):
            return found
        listing = json.loads(found.body)
        one = next(each for each in listing["Resources"] if each["userName"] == login)
        listing["Resources"].append({**one, "id": "a-twin", "userName": login.capitalize()})
        listing["totalResults"] = listing["itemsPerPage"] = len(listing["Resources"])
        return replace(found, body=json.dumps(listing).encode())

    running.before = listed


def left_inactive(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        account = running.users()["p0@x.example"]
        message = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
        body = {"schemas": [message], "Operations": [{"op": "replace", "path": "active", "value": False}]}
        target = f"/scim/v2/Users/{account['id']}"
        running.service.handle(Request(method="PATCH", target=target, body=json.dumps(body).encode()))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0", p0=", active: true"))
        yield apply(folder)


def name_taken(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        live(running, {"userName": "eve@x.example"})
        folder.write("identities/a.yaml", declared("p0").replace("p0@", "eve@"))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0").replace("p0@", "eve.two@"))
        yield apply(folder)


def name_of_another(path: Path) -> Story:
    """Others rename her account and give its name to a new one: a forged entry would look just like that."""
    with founded(path) as company:
        assert apply(company.seed).code == 0
        others(company, "bob.li@example.com", "userName", "bobby@example.com")
        new = stranger(company, "bob.li")
        yield apply(company.seed)
        target = f"/scim/v2/Users/{new}"
        company.running.service.handle(Request(method="DELETE", target=target, headers={}, body=b""))
        yield apply(company.seed)


def nobody_there(path: Path) -> Story:
    with applied(path, declared("p0") + crew("p0")) as (folder, running):
        folder.write("identities/a.yaml", declared("p0") + crew("p0", "{live: ghost@x.example}"))
        yield apply(folder)
        live(running, {"userName": "ghost@x.example"})
        yield apply(folder)


def group_cannot(path: Path) -> Story:
    folder = quick(path)
    folder.write("reconciler.yaml", 'targets:\n  lab: {profile: genesys, url: "sandbox:"}\n')
    folder.write("identities/a.yaml", declared("p0") + crew("p0"))
    yield apply(folder)
    folder.write(
        "identities/a.yaml", declared("p0") + crew("p0").replace("displayName: Crew", "displayName: All Agents")
    )
    yield apply(folder)


REFUSED = (
    Rail(
        name="several accounts of one name",
        stops="somebody of whom there are two accounts, or two lines of one account: none of them is touched",
        past="the server, where one of the two is removed or renamed; or other lines",
        ends=5,
        told="# user.zoe:",
        play=twins,
        codes=("ambiguous",),
    ),
    Rail(
        name="an inactive account comes back",
        stops="nothing, but is said first of all, with what the account still holds",
        past="the merge, if she is meant; else `active: false` or another userName",
        ends=0,
        told="! user.zoe:",
        play=inactive_account,
    ),
    Rail(
        name="left inactive",
        stops="bringing back an account that others switched off",
        past="`active: true` in her lines, in a reviewed change",
        ends=0,
        told="· user.p0: inactive",
        play=left_inactive,
        codes=("left-inactive",),
    ),
    Rail(
        name="name-taken",
        stops="a userName that another account has and keeps",
        past="another userName, here or for that account",
        ends=5,
        told="# user.p0: another account",
        play=name_taken,
    ),
    Rail(
        name="names-swapped",
        stops="people who take each other's userNames, which cannot be done one request at a time",
        past="two applies: first a userName that nobody has, then the final ones",
        ends=5,
        told="# user.p0: these take each other's names",
        play=swapped,
    ),
    Rail(
        name="removal-not-proved",
        stops="a removal that only the record asks for: no reviewed commit declared her, or not by the account's name",
        past="a line under `released`, which lets go without a change; to remove her all the same, do it on the server",
        ends=5,
        told="# user.eve.x:",
        play=not_proved,
    ),
    Rail(
        name="somebody who is not there",
        stops="a `live:` member or manager whom the server does not have",
        past="the account on the server first; or another spelling",
        ends=5,
        told="# group.crew:",
        play=nobody_there,
        codes=("unknown-live-member", "unknown-live-reference"),
    ),
    Rail(
        name="a group that cannot be changed over SCIM",
        stops="what a service provider does not offer: a group made, renamed, deleted, or changed without PATCH",
        past="the provider's own pages, where it is made or changed; then it is found by its name",
        ends=5,
        told="# group.crew:",
        play=group_cannot,
        codes=tuple(f"group-cannot-be-{each}" for each in ("created", "renamed", "changed", "deleted")),
    ),
    Rail(
        name="the record and the name disagree",
        stops="a line whose recorded account bears a name that git never gave it, while its own name is somebody else",
        past="the server, where the name is given back, or the account of that name is removed",
        ends=5,
        told="# user.bob.li:",
        play=name_of_another,
        codes=("ambiguous",),
    ),
)
