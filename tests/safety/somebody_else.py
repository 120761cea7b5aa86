"""The rails before an account that is somebody else's by now, as stories: by number, history, or a last look."""

from pathlib import Path

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import Provider
from tests.safety.left_as_it_is import ENTERPRISE, live
from tests.safety.rails import Rail, Story, applied, apply, declared

ONE, TWO = ", employeeNumber: '1'", ", employeeNumber: '2'"
OVER = ", endsOn: 2020-01-31, deleteAfter: 30"


def account(login: str, number: str, *, active: bool = True) -> dict[str, object]:
    return {"userName": f"{login}@x.example", "active": active, ENTERPRISE: {"employeeNumber": number}}


def take_away(running: Provider, login: str) -> None:
    target = f"/scim/v2/Users/{running.users()[f'{login}@x.example']['id']}"
    running.service.handle(Request(method="DELETE", target=target, headers={}, body=b""))


def other_person(path: Path) -> Story:
    with applied(path, declared("p0", p0=ONE)) as (folder, _):
        text = declared("p0", p0=TWO).replace("p0@", "zoe@")
        folder.write("identities/a.yaml", text)
        yield apply(folder)
        folder.write("identities/a.yaml", text.replace("  p0:", "  zoe:"))
        yield apply(folder)


def other_number(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        live(running, account("zoe", "7", active=False))
        folder.write("identities/a.yaml", declared("p0", "zoe", zoe=", employeeNumber: '8'"))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0", "zoe2", zoe2=", employeeNumber: '8'"))
        yield apply(folder)


def earlier_name(path: Path) -> Story:
    with applied(path, declared("p0")) as (folder, running):
        live(running, account("zoe.old", "1"))
        folder.write("identities/a.yaml", declared("p0", "zoe", zoe=f"{TWO}, formerly: [zoe.old@x.example]"))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p0", "zoe", zoe=TWO))
        yield apply(folder)


def same_desk(path: Path) -> Story:
    with applied(path, declared("p0", p0=ONE)) as (folder, _):
        text = declared("zoe", zoe=TWO)
        folder.write("identities/a.yaml", text.replace("zoe@", "p0@"))
        yield apply(folder)
        folder.write("identities/a.yaml", text)
        yield apply(folder)


def came_in_her_place(path: Path) -> Story:
    with applied(path, declared("p0", p0=ONE)) as (folder, running):
        take_away(running, "p0")
        live(running, account("p0", "2"))
        yield apply(folder)
        take_away(running, "p0")
        yield apply(folder)


def came_after(path: Path) -> Story:
    with applied(path, declared("p0", "p1")) as (folder, running):
        take_away(running, "p0")
        live(running, {"userName": "p0@x.example"})
        folder.write("identities/a.yaml", declared("p0", "p1", p0=OVER))
        yield apply(folder)
        folder.write("identities/a.yaml", declared("p1"))
        yield apply(folder)


def renamed_meanwhile(path: Path) -> Story:
    """Somebody gives the account another name after the plan, while the apply is under way."""
    with applied(path, declared("p0", "p1"), "removal: {users: delete}") as (folder, running):
        own = f"/scim/v2/Users/{running.users()['p0@x.example']['id']}"

        def first(request: Request) -> Response | None:
            if request.method == "GET" and request.target.partition("?")[0] == own:
                running.before = lambda request: None
                rename(running, own, "eve@x.example")
            return None

        running.before = first
        folder.write("identities/a.yaml", declared("p1"))
        yield apply(folder)
        yield apply(folder)


def rename(running: Provider, target: str, login: str) -> None:
    change = f'{{"op": "replace", "path": "userName", "value": "{login}"}}'
    body = f'{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{change}]}}'
    running.service.handle(Request(method="PATCH", target=target, body=body.encode()))


SOMEBODY_ELSE = (
    Rail(
        name="looks like another person",
        stops="one key whose userName and employeeNumber change together",
        past="a new key for the new person; the old one is then removed as somebody who left",
        ends=5,
        told="# user.p0:",
        play=other_person,
    ),
    Rail(
        name="another key and another number",
        stops="the next person at the same desk: a new key and a new employeeNumber, and the userName of somebody whom "
        "the record knows",
        past="another userName for the new person; the old account is then removed as that of somebody who left",
        ends=5,
        told="# user.zoe:",
        play=same_desk,
    ),
    Rail(
        name="an earlier name of another number",
        stops="going on with the account of an earlier userName or key (`formerly`) whose employeeNumber is not that "
        "of the line",
        past="the line without that `formerly`, if the account is somebody else's; or the number, where it is wrong",
        ends=5,
        told="# user.zoe:",
        play=earlier_name,
    ),
    Rail(
        name="an inactive account of another number",
        stops="taking over an inactive account whose employeeNumber is not that of the line",
        past="another userName for the new person; or the number, where it is wrong",
        ends=5,
        told="# user.zoe:",
        play=other_number,
    ),
    Rail(
        name="an account of another number in the place of hers",
        stops="taking over an account of another employeeNumber that bears the userName of somebody whose own is gone",
        past="the server, where that account is removed or renamed; or the number, where it is wrong",
        ends=5,
        told="# user.p0:",
        play=came_in_her_place,
    ),
    Rail(
        name="an account that came after a deletion",
        stops="deleting for `deleteAfter` an account that bears her userName and came after her own was deleted",
        past="her lines, taken out, as nothing of hers is left; or another userName for that account",
        ends=5,
        told="# user.p0:",
        play=came_after,
    ),
    Rail(
        name="renamed or brought back before its deletion",
        stops="deleting an account that somebody has renamed or brought back since the plan was made, or a group that "
        "somebody has joined: each is read right before",
        past="a new plan, which shows what is there now",
        ends=5,
        told="! user.p0:",
        play=renamed_meanwhile,
    ),
)
