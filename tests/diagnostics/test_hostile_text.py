"""From a YAML file or a server's answer to every output, whole commands: nothing harmful comes through raw."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import Provider, provider
from tests.diagnostics.hostile import HOSTILE, assert_harmless
from tests.diagnostics.repositories import SETTINGS
from tests.diagnostics.running import Said, say

BAD = pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)


def quoted(text: str) -> str:
    """The text as YAML: in double quotes, spelled out."""
    return json.dumps(text)


def repository(folder: Path, people: str, settings: str = SETTINGS) -> Path:
    (folder / "identities").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    (folder / "identities/people.yaml").write_text(people, encoding="utf-8")
    return folder


def heard(folder: Path, *calls: str) -> list[Said]:
    """Call after call; each is harmless and ends in a way that was meant."""
    ended = []
    for call in calls:
        said = say(call.split(), folder)
        assert "a fault of reconciler" not in said.err, said.err
        if "--format json" in call and said.out:
            assert isinstance(json.loads(said.out), dict)
        assert_harmless(said.err)
        assert_harmless(said.out, longest=None if "--format json" in call else 2_000)
        ended.append(said)
    return ended


def assert_declarations_can_be_seen(folder: Path) -> None:
    """What an import wrote for people to review holds no character that they would not see, or that turns a row."""
    files = [each.read_text(encoding="utf-8") for each in (folder / "identities").rglob("*.yaml")]
    assert len(files) > 1
    assert all(line.isprintable() for text in files for line in text.split("\n"))


def assert_files_are_sound(folder: Path) -> None:
    """What is kept for machines is JSON, line by line, without a raw control character."""
    files = [each for each in (folder / ".reconciler").rglob("*") if each.is_file()]
    assert files
    for path in files:
        if path.suffix not in (".json", ".jsonl") or "sandbox" in path.relative_to(folder).parts[1]:
            continue
        text = path.read_text(encoding="utf-8")
        assert not [each for each in text if each < " " and each != "\n"], path
        for line in text.strip("\n").split("\n") if path.suffix == ".jsonl" else [text]:
            json.loads(line)


# --- from YAML


@BAD
def test_values_of_declarations(bad: str, tmp_path: Path) -> None:
    """Where the file may hold it at all, it is planned, applied, shown, taken for drift, and put right."""
    value = quoted(bad)
    folder = repository(
        tmp_path,
        f"""
templates:
  agent: {{department: {value}}}
users:
  ann: {{userName: ann@x.example, displayName: {value}, title: {value}, from: [agent], roles: [{value}]}}
  ben: {{userName: {value}, displayName: Ben, manager: ann, routingSkills: {{{value}: 3}}}}
  cleo: {{userName: cleo@x.example, displayName: Cleo, externalIds: {{{value}: {value}}}, formerly: [{value}x]}}
groups:
  crew: {{displayName: {value}, members: [ann, {{live: {value}}}], externalId: {value}}}
""",
    )
    heard(folder, "validate", "plan", "plan --verbose --out plan.json", "plan --format json", "apply --auto-approve")
    if (folder / "plan.json").exists():
        heard(folder, "show plan.json", "show plan.json --format json")
    heard(folder, "plan", "drift", "drift --format json")


@BAD
def test_places_where_it_is_wrong(bad: str, tmp_path: Path) -> None:
    """Keys, names of templates, groups, targets, managers, time zones, numbers, dates: said, cut and spelled out."""
    value = quoted(bad)
    lines = [
        f"  ann: {{userName: ann@x.example, displayName: Ann, {value}: x}}",
        f"  ben: {{userName: ben@x.example, displayName: Ben, from: [{value}], manager: {value}, groups: [{value}]}}",
        f"  cleo: {{userName: cleo@x.example, displayName: Cleo, targets: [{value}], overrides: {{{value}: {{}}}}}}",
        f"  dan: {{userName: dan@x.example, displayName: Dan, timeZone: {value}, startsOn: {value}, active: {value}}}",
        f"  eve: {{userName: eve@x.example, displayName: Eve, emails: {{work: {value}, {value}: x}}}}",
        f"  fay: {{userName: fay@x.example, displayName: Fay, phoneNumbers: {{work: {value}}}, password: {value}}}",
        f"  gil: {{userName: gil@x.example, displayName: Gil, urn:{value[1:-1]!r}: 1, routingSkills: {{x: {value}}}}}",
        f"  hal: {value}",
        f"  {value}: {{userName: ida@x.example, displayName: Ida}}",
    ]
    group = f"  g: {{displayName: G, members: [{value}], membership: {value}, memberRule: {{{value}: {value}}}}}"
    text = "\n".join(["users:", *lines, "groups:", group, f"released: [{value}]", f"{value}: {{}}", ""])
    heard(repository(tmp_path, text), "validate", "plan")
    unfinished = f"users:\n  ann: {{userName: {bad[:200]}".encode("utf-8", "replace").decode()
    heard(repository(tmp_path, unfinished), "validate")


@BAD
def test_names_of_files_and_words_of_the_command_line(bad: str, tmp_path: Path) -> None:
    repository(tmp_path, "users: {ann: {userName: ann@x.example, displayName: Ann}}")
    name = bad.replace("/", "_").replace("\0", "_")[:80].encode("utf-8", "ignore").decode()
    (tmp_path / "identities" / f"{name}.yml").write_bytes(b"users: {ann: {userName: x}}")
    (tmp_path / "identities" / f"{name}.yaml").write_bytes(b"users: {ann: {titel: x}}")
    heard(tmp_path, "validate", "plan")
    for call in (["plan", "--target", bad], ["plan", "--format", bad], [bad], ["plan", f"--{bad}"], ["schema", bad]):
        said = say(call, tmp_path)
        assert said.code == 64, said
        assert_harmless(said.err)
    for call in (["show", bad], ["plan", "--settings", bad], ["plan", "--identities", bad], ["apply", "--accept", bad]):
        said = say(call, tmp_path)
        assert said.code in (1, 64), said
        assert_harmless(said.err)


@BAD
def test_settings(bad: str, tmp_path: Path) -> None:
    value = quoted(bad)
    people = "users: {ann: {userName: ann@x.example, displayName: Ann}}"
    targets = (
        f"  {value}: {{profile: genesys, url: 'sandbox:'}}",
        f"  a: {{profile: {value}, url: {value}}}",
        f"  b: {{profile: genesys, region: {value}, timeZone: {value}, auth: {{bearer: {value}}}}}",
        f"  c: {{profile: genesys, url: 'sandbox:', {value}: x, identities: [{value}], notStored: [{value}]}}",
        f"  d: {{profile: genesys, url: 'sandbox:', policy: {{protect: [{value}], minimum: {{{value}: 1}}}}}}",
        f"  e: {{profile: genesys, url: 'sandbox:', lists: {{{value}: x}}}}",
    )
    text = "\n".join(["targets:", *targets, f"defaultTarget: {value}", ""])
    heard(repository(tmp_path, people, text), "validate", "plan")


# --- from a server


@pytest.fixture
def server() -> Iterator[Provider]:
    with provider() as running:
        yield running


def stored(running: Provider, kind: str, body: dict[str, Any]) -> str:
    """Store a resource by other hands; its id."""
    schemas = [f"urn:ietf:params:scim:schemas:core:2.0:{kind.removesuffix('s')}"]
    sent = json.dumps({"schemas": schemas, **body}).encode()
    asked = Request(method="POST", target=f"/scim/v2/{kind}", headers={}, body=sent)
    answered = running.service.handle(asked)
    assert answered.status == 201, answered.body
    return str(json.loads(answered.body)["id"])


@BAD
def test_what_a_server_holds(bad: str, tmp_path: Path, server: Provider) -> None:
    """Names, titles and members of others' accounts and groups, as drift, as members to be removed, as ambiguity."""
    people = "users: {ann: {userName: ann@x.example, displayName: Ann, title: Agent, roles: [Agent]}}\n"
    groups = "groups: {crew: {displayName: Crew, members: [ann]}}\n"
    folder = repository(tmp_path, people + groups, server.settings())
    heard(folder, "apply --auto-approve")
    stranger = stored(server, "Users", {"userName": f"{bad}s", "displayName": bad, "title": bad, "active": True})
    stored(server, "Groups", {"displayName": bad, "members": [{"value": stranger, "display": bad}]})
    held = {each["displayName"]: each for each in server.service.dump()["Group"]}
    ann = server.users()["ann@x.example"]
    change(server, f"Users/{ann['id']}", [{"op": "replace", "value": {"title": bad, "roles": [{"value": bad}]}}])
    change(server, f"Groups/{held['Crew']['id']}", [{"op": "add", "path": "members", "value": [{"value": stranger}]}])
    heard(folder, "plan", "plan --verbose", "plan --format json", "drift", "drift --format json")
    heard(folder, "apply --auto-approve --drift", "plan")
    heard(folder, "import", "validate", "plan")
    assert_declarations_can_be_seen(folder)
    assert_files_are_sound(folder)


def change(running: Provider, path: str, operations: list[dict[str, Any]]) -> None:
    body = json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
    answered = running.service.handle(
        Request(method="PATCH", target=f"/scim/v2/{path}", headers={}, body=body.encode())
    )
    assert answered.status in (200, 204), answered.body


@BAD
def test_what_a_server_says(bad: str, tmp_path: Path, server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors' details, types, request ids and bodies that are no JSON at all."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it asks again
    folder = repository(tmp_path, "users: {ann: {userName: ann@x.example, displayName: Ann}}", server.settings())
    header = "".join(each for each in bad[:100] if " " <= each < "\x7f" or "\xa0" <= each <= "\xff")
    detail = json.dumps({"detail": bad, "scimType": bad, "status": bad, "schemas": [bad]}).encode()
    raw = bad.encode("utf-8", "surrogatepass")
    answers = (
        ("apply --auto-approve", 400, detail, "application/scim+json", True),
        ("apply --auto-approve", 400, raw, "text/html", True),
        ("plan", 403, detail, "application/scim+json", False),
        ("plan", 404, raw, "text/html", False),
        ("plan", 200, raw, "application/json", False),
        ("plan", 200, detail, "application/scim+json", False),
    )
    for call, status, body, kind, writes_only in answers:
        answer_with(server, Response(status=status, headers=headers(kind, header), body=body), writes_only=writes_only)
        (said,) = heard(folder, call)
        assert said.code in (1, 5), said
    answer_with(
        server, Response(status=302, headers={"Location": f"https://{header}", "X-Request-Id": header}, body=b"")
    )
    heard(folder, "plan")
    assert_files_are_sound(folder)


def headers(kind: str, text: str) -> dict[str, str]:
    return {"Content-Type": kind, "X-Request-Id": text, "ININ-Correlation-Id": text, "Retry-After": "0"}


def answer_with(running: Provider, response: Response, *, writes_only: bool = False) -> None:
    def before(request: Request) -> Response | None:
        return None if writes_only and request.method == "GET" else response

    running.before = before


# --- from what is kept


@BAD
def test_a_record_and_a_plan_that_somebody_changed(bad: str, tmp_path: Path) -> None:
    people = "users: {ann: {userName: ann@x.example, displayName: Ann, title: Agent, roles: [employee]}}"
    folder = repository(tmp_path, people)
    heard(folder, "plan --out plan.json", "apply --auto-approve")
    plan = (folder / "plan.json").read_text()
    for word in ("sandbox", "Ann", "genesys", "displayName", "create", "user.ann"):
        (folder / "plan.json").write_text(plan.replace(f'"{word}"', quoted(bad)))
        heard(folder, "show plan.json", "show plan.json --format json")
    for path in sorted((folder / ".reconciler/record").rglob("*.json*")):
        kept = path.read_text()
        for word in ("Ann", "title", "ann", "sandbox"):
            if f'"{word}"' in kept:
                path.write_text(kept.replace(f'"{word}"', quoted(bad)))
                heard(folder, "plan", "plan --format json")
        path.write_text(kept)
