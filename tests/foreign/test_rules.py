"""What service providers do that none of the real servers here shows: it is converged with, or named, and nobody loses.

The provider is the embedded one with a habit; what it holds is read past our client.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.sandbox import Request, Response
from reconciler.sandbox.switches import MemberAdd, MemberRemove
from tests.cli.in_process import quick
from tests.foreign.odd import Odd, each_row, odd, plain, refusal, rewritten
from tests.foreign.team import Team
from tests.foreign.test_whole_life import ids, members, user

ANN, BOB = user("ann"), user("bob")


@contextmanager
def team_on(tmp_path: Path, running: Odd, **settings: Any) -> Iterator[Team]:
    team = Team(quick(tmp_path / "team"), running.foreign)
    team.settings(**settings)
    yield team
    running.asked.clear()


def said(text: str) -> str:
    return " ".join(text.split())


def group(name: str = "Support", *keys: str, **more: Any) -> dict[str, Any]:
    return {"displayName": name, "members": list(keys), **more}


def is_patch(request: Request, kind: str = "Users") -> bool:
    return request.method == "PATCH" and f"/{kind}/" in request.target


# --- 11: a deletion that only deactivates


def test_a_deletion_that_only_deactivates(tmp_path: Path) -> None:
    with odd(delete_deactivates=True) as running, team_on(tmp_path, running, removal="delete") as team:
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        team.brought_about()
        team.declare({"ann": ANN}, {"support": group("Support", "ann")})
        team.brought_about()
        assert running.foreign.users()["bob@example.com"]["active"] is False
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        team.brought_about()
        assert running.foreign.users()["bob@example.com"]["active"] is True
        assert members(running.foreign, "Support") == {"ann", "bob"}


# --- 9, 10: refusals in other shapes


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(409, "ERROR: duplicate key value violates unique constraint"), "ann@example.com exists already"),
        (plain(409, "<html>Conflict</html>"), "ann@example.com exists already"),
        (refusal(500, "SQLSTATE 23505"), "SQLSTATE 23505"),
        (plain(501, "<html>Not here</html>"), "a web page"),
        (plain(400, '{"status": 400, "message": "no"}', "application/json"), "no"),
    ],
)
def test_one_refused_create_is_named_and_the_rest_goes_on(tmp_path: Path, answer: Response, words: str) -> None:
    def before(request: Request) -> Request | Response:
        return answer if request.method == "POST" and b"ann@" in request.body else request

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        applied = said(team.apply(5).out)
        assert words in applied
        assert "group.support: without user.ann, not created" in applied
        assert "did not keep" not in applied
        assert 1 <= len([each for each in running.sent("POST") if each.get("userName") == "ann@example.com"]) <= 2
        assert members(running.foreign, "Support") == {"bob"}


# --- 13: replace of a complex attribute merges, or drops what is not named


def test_other_parts_of_a_complex_attribute_stay(tmp_path: Path) -> None:
    """Whoever sends the whole attribute loses the rest at one server or another; single paths lose nothing."""
    with odd() as running, team_on(tmp_path, running) as team:
        lines = {"name": {"givenName": "Ann"}, "addresses": {"work": {"locality": "Leeds"}}}
        team.declare({"ann": user("ann", **lines)})
        team.brought_about()
        path = f"/Users/{ids(running.foreign)['ann']}"
        running.patch(path, "add", "name.middleName", "M")
        running.patch(path, "add", 'addresses[type eq "work"].postalCode', "LS1")
        running.asked.clear()
        lines = {"name": {"givenName": "Anne"}, "addresses": {"work": {"locality": "York"}}}
        team.declare({"ann": user("ann", **lines)})
        team.brought_about()
        assert running.patched() == [
            ("replace", "name.givenName"),
            ("replace", 'addresses[type eq "work"].locality'),
        ]
        row = running.foreign.users()["ann@example.com"]
        assert row["name"] == {"givenName": "Anne", "middleName": "M"}
        assert row["addresses"] == [{"type": "work", "locality": "York", "postalCode": "LS1"}]


def test_the_whole_resource_is_sent_back_where_it_must_be(tmp_path: Path) -> None:
    """The same where there is no PATCH: what others gave is in the PUT."""

    def before(request: Request) -> Request | Response:
        return refusal(405, "no PATCH here") if is_patch(request) and b"middleName" not in request.body else request

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": user("ann", name={"givenName": "Ann"}, roles=["agent"])})
        team.brought_about()
        row = running.foreign.users()["ann@example.com"]
        running.patch(f"/Users/{row['id']}", "add", "name.middleName", "M")
        other = {
            **running.foreign.users()["ann@example.com"],
            "nickName": "Annie",
            "phoneNumbers": [{"value": "+4420"}],
        }
        running.foreign.request("PUT", f"/Users/{row['id']}", other)
        team.declare({"ann": user("ann", name={"givenName": "Anne"}, roles=["agent", "lead"], department="Care")})
        team.brought_about()
        row = running.foreign.users()["ann@example.com"]
        assert row["name"] == {"givenName": "Anne", "middleName": "M"}
        assert (row["nickName"], row["phoneNumbers"]) == ("Annie", [{"value": "+4420"}])
        assert sorted(each["value"] for each in row["roles"]) == ["agent", "lead"]
        team.declare({"ann": user("ann", name=None, roles=[], department=None)})
        team.brought_about()
        row = running.foreign.users()["ann@example.com"]
        assert not {"roles", "name"} & row.keys() or row["name"] == {"middleName": "M"}
        assert row["nickName"] == "Annie"


# --- 14: an element that is not there


@pytest.mark.parametrize("created", [True, False])
def test_an_element_that_others_took_is_added_whole(tmp_path: Path, created: bool) -> None:
    with odd(missing_slot_created=created) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": user("ann", emails={"work": "ann@example.com"})})
        team.brought_about()
        running.patch(f"/Users/{ids(running.foreign)['ann']}", "remove", 'emails[type eq "work"]')
        team.declare({"ann": user("ann", emails={"work": "ann.ng@example.com"})})
        team.brought_about()
        held = running.foreign.users()["ann@example.com"]["emails"]
        assert [(each["type"], each["value"]) for each in held] == [("work", "ann.ng@example.com")]


# --- 15: adding what is there already


def test_only_who_is_missing_is_added(tmp_path: Path) -> None:
    """Adding somebody again is a duplicate at one server and an error at another: it is never sent."""
    with odd() as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann")})
        team.brought_about()
        path = f"/Groups/{running.foreign.groups()['Support']['id']}"
        known = ids(running.foreign)
        running.asked.clear()
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        team.brought_about()
        (sent,) = running.sent("PATCH")
        assert [each["value"] for each in sent["Operations"]] == [[{"value": known["bob"]}]]
        running.patch(path, "remove", f'members[value eq "{known["ann"]}"]')
        running.asked.clear()
        team.apply(0, "--drift")
        (sent,) = running.sent("PATCH")
        assert [each["value"] for each in sent["Operations"]] == [[{"value": known["ann"]}]]


def test_an_addition_that_throws_the_others_out_stops_the_run(tmp_path: Path) -> None:
    with odd(member_add=MemberAdd.REPLACES) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN, "bob": BOB}, {"one": group("One", "ann"), "two": group("Two", "bob")})
        team.brought_about()
        team.declare({"ann": ANN, "bob": BOB}, {"one": group("One", "ann", "bob"), "two": group("Two", "ann", "bob")})
        applied = said(team.apply(5).out)
        assert "the server removed 1 members not in the plan" in applied
        assert "removed members that nobody took out" in applied
        assert {len(members(running.foreign, each)) for each in ("One", "Two")} == {1}, "only one group was touched"


# --- 16, 18, 20, 30: answered yes, and not done


def ignoring(path: str) -> Callable[[Request], Request | Response]:
    """Answers a PATCH of the attribute with success and leaves that operation out (unknown paths, bad operations)."""

    def before(request: Request) -> Request | Response:
        if not is_patch(request):
            return request
        body = json.loads(request.body)
        kept = [each for each in body["Operations"] if path not in each["path"]]
        if not kept:
            return plain(200, "")
        return replace(request, body=json.dumps({**body, "Operations": kept}).encode())

    return before


@pytest.mark.parametrize(
    ("first", "second", "habit", "line"),
    [
        ({"title": "Lead"}, None, {"dropped": ("title",)}, "title"),
        ({"department": "Care"}, None, {"dropped": ("department",)}, "department"),
        ({"title": "Lead"}, {"title": None}, {"unremovable": ("title",)}, "title"),
        ({"title": "Lead"}, {"title": "Agent", "nickName": "A"}, {"before": ignoring("title")}, "title"),
        (
            {"emails": {"work": "a@example.com"}},
            {"emails": {"work": {"value": "a@example.com", "primary": True}}, "title": "Agent"},
            {"before": ignoring("primary")},
            "emails.primary",
        ),
        ({"roles": ["a"]}, {"roles": ["a", "b"], "title": "Agent"}, {"before": ignoring("roles")}, "roles"),
    ],
)
def test_what_is_not_kept_is_named_with_the_line_that_settles_it(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any] | None, habit: dict[str, Any], line: str
) -> None:
    with odd(**habit) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": user("ann", **first)})
        if second is not None:
            team.brought_about()
            team.declare({"ann": user("ann", **second)})
        applied = said(team.apply(5).out)
        assert f"notStored: [{line}] in the target's settings" in applied
        assert team.run("plan", "--detailed-exitcode").code == 2
        team.settings(notStored=[line])
        team.settled()


def test_a_group_attribute_that_is_not_kept(tmp_path: Path) -> None:
    with odd(dropped=("externalId",)) as running, team_on(tmp_path, running) as team:
        team.declare({}, {"support": {"displayName": "Support", "externalId": "g-1"}})
        assert "notStored: [group.externalId]" in said(team.apply(5).out)
        team.settings(notStored=["group.externalId"])
        team.settled()


def test_one_bad_value_does_not_hold_up_the_others(tmp_path: Path) -> None:
    def before(request: Request) -> Request | Response:
        return (
            refusal(400, "bad locale", "invalidValue") if is_patch(request) and b'"locale"' in request.body else request
        )

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN})
        team.brought_about()
        running.asked.clear()
        lines = {"title": "Lead", "nickName": "A", "userType": "x", "timezone": "Europe/London"}
        team.declare({"ann": user("ann", locale="xx", **lines)})
        applied = said(team.apply(5).out)
        assert "user.ann: 400: locale: invalidValue: bad locale; the rest of the change is done" in applied
        row = running.foreign.users()["ann@example.com"]
        assert {name: row[name] for name in lines} == lines
        assert len(running.sent("PATCH")) < 8


# --- 17, 19, 29: other spellings of the same


def test_booleans_as_text_and_logins_in_lower_case(tmp_path: Path) -> None:
    with odd(booleans_as_text=True, user_name_lowered=True) as running, team_on(tmp_path, running) as team:
        emails = {"work": {"value": "a@example.com", "primary": True}}
        for active in (True, False, True):
            team.declare({"ann": {"userName": "Ann.Ng@Example.com", "active": active, "emails": emails}})
            team.brought_about()
        assert "ann.ng@example.com" in running.foreign.users()


def test_versions_and_dates_that_move_by_themselves_are_no_change(tmp_path: Path) -> None:
    count = iter(range(10_000))

    def moving(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "meta": {**row["meta"], "version": f'W/"{next(count)}"', "lastModified": "2026-01-01T00:00:00Z"}}

    def after(request: Request, answer: Response) -> Response:
        rows = answer.status == 200 and ("/Users" in request.target or "/Groups" in request.target)
        return rewritten(answer, lambda document: each_row(document, moving)) if rows else answer

    with odd(after=after, conflict=409) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN}, {"support": group("Support", "ann")})
        team.brought_about()


# --- 21, 23: members that cannot be taken, or cannot be given


@pytest.mark.parametrize(("habit", "words"), [(MemberRemove.IGNORED, "still there"), (MemberRemove.REFUSED, "400")])
def test_a_member_that_cannot_be_taken_is_named(tmp_path: Path, habit: MemberRemove, words: str) -> None:
    with odd(member_remove=habit) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        team.brought_about()
        running.asked.clear()
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann")})
        applied = said(team.apply(5).out)
        assert words in applied
        assert "notStored" not in applied
        assert {path for _, path in running.patched()} == {f'members[value eq "{ids(running.foreign)["bob"]}"]'}
        assert members(running.foreign, "Support") == {"ann", "bob"}


@pytest.mark.parametrize("status", [400, 404, 500])
def test_one_member_that_the_server_refuses_costs_nobody_else_her_place(tmp_path: Path, status: int) -> None:
    people = {f"p{n}": user(f"p{n}") for n in range(12)}
    refused: list[bytes] = []

    def before(request: Request) -> Request | Response:
        bad = is_patch(request, "Groups") and any(each in request.body for each in refused)
        return refusal(status, "unknown member") if bad else request

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare(people)
        team.brought_about()
        refused.append(ids(running.foreign)["p7"].encode())
        running.asked.clear()
        team.declare(people, {"all": group("All", *people)})
        applied = said(team.apply(5).out)
        assert f"{people['p7']['userName']}: unknown member; the rest of the change is done" in applied
        assert members(running.foreign, "All") == people.keys() - {"p7"}
        assert len(running.sent("PATCH")) < 12


def test_a_server_that_refuses_everything_is_not_asked_for_each_of_many(tmp_path: Path) -> None:
    people = {f"p{n}": user(f"p{n}") for n in range(60)}

    def before(request: Request) -> Request | Response:
        return refusal(400, "never") if is_patch(request, "Groups") else request

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare(people, {"all": group("All", *people)})
        team.apply(5)
        assert len(running.sent("PATCH")) < 12


def test_members_that_are_dropped_without_a_word_are_named(tmp_path: Path) -> None:
    """27, 23: an id, or a group in a group, that silently does not arrive."""
    dropped: list[str] = []

    def before(request: Request) -> Request | Response:
        if not is_patch(request, "Groups"):
            return request
        body = json.loads(request.body)
        for each in body["Operations"]:
            each["value"] = [one for one in each["value"] if one["value"] not in dropped]
        return replace(request, body=json.dumps(body).encode())

    with odd(before=before) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN}, {"inner": group("Inner", "ann")})
        team.brought_about()
        dropped.append(running.foreign.groups()["Inner"]["id"])
        outer = {"displayName": "Outer", "members": ["ann", {"group": "inner"}]}
        team.declare({"ann": ANN}, {"inner": group("Inner", "ann"), "outer": outer})
        applied = said(team.apply(5).out)
        assert "did not keep members (inner)" in applied
        assert "take their lines out" in applied
        assert members(running.foreign, "Outer") == {"ann"}


# --- 25, 26: groups that cannot be told apart, members that are called by their names


def test_of_groups_with_one_name_none_is_chosen(tmp_path: Path) -> None:
    with odd() as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN}, {"other": group("Other")})
        team.brought_about()
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Support"}
        for _ in range(2):
            running.foreign.request("POST", "/Groups", body)
        team.declare({"ann": ANN}, {"support": group("Support", "ann"), "other": group("Other", "ann")})
        applied = said(team.apply(5).out)
        assert "group.support" in applied
        twins = [each for each in running.foreign.all("Groups") if each["displayName"] == "Support"]
        assert [each.get("members") for each in twins] == [None, None]
        assert members(running.foreign, "Other") == {"ann"}


def test_logins_as_member_values_are_not_taken_for_ids(tmp_path: Path) -> None:
    names: dict[str, str] = {}

    def named(row: dict[str, Any]) -> dict[str, Any]:
        shown = [{"value": names.get(each["value"], each["value"])} for each in row.get("members", ())]
        return {**row, "members": shown} if shown else row

    def after(request: Request, answer: Response) -> Response:
        if "/Groups" in request.target and answer.status in (200, 201):
            return rewritten(answer, lambda document: each_row(document, named))
        return answer

    with odd(after=after) as running, team_on(tmp_path, running) as team:
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann", "bob")})
        team.brought_about()
        names |= {row["id"]: name for name, row in running.foreign.users().items()}
        running.asked.clear()
        team.declare({"ann": ANN, "bob": BOB}, {"support": group("Support", "ann")})
        planned = team.run("plan", "--detailed-exitcode")
        assert "members" in planned.out
        team.apply(planned.code)
        assert running.sent("PATCH") == []


# --- an earlier account that comes back


@pytest.mark.parametrize("status", [200, 201])
def test_somebody_deleted_comes_back_as_declared(tmp_path: Path, status: int) -> None:
    habit: dict[str, Any] = {"profile": "genesys", "restore_status": status}
    with (
        odd(**habit) as running,
        team_on(tmp_path, running, profile="genesys", removal="delete", groups="keep") as team,
    ):
        ann = user("ann", title="Agent", department="Care", routingLanguages={"English - Spoken": 3})
        del ann["routingLanguages"]
        team.declare({"ann": ann})
        team.brought_about()
        before = ids(running.foreign)["ann"]
        team.declare({"bob": BOB})
        team.brought_about()
        assert "ann" not in ids(running.foreign)
        team.declare({"bob": BOB, "ann": user("ann", title="Lead")})
        applied = said(team.brought_about().out)
        row = running.foreign.users()["ann@example.com"]
        assert (row["id"], row["title"]) == (before, "Lead")
        if status == 200:
            assert "user.ann: restored: the server brought an earlier user back" in applied
            assert "it came with what nobody declared:" in applied
            assert "department" in applied


@pytest.mark.parametrize("more", [{"active": False, "roles": [{"value": "admin"}]}, {}], ids=["switched-off", "active"])
def test_a_create_that_answers_with_old_values_is_amended_at_once(tmp_path: Path, more: dict[str, Any]) -> None:
    """201 with an old account: its own id, its old values; perhaps switched off, with access nobody sent."""
    kept: dict[str, str] = {}

    def before(request: Request) -> Request | Response:
        if request.method != "POST" or b"ann@" not in request.body or not kept:
            return request
        answer = running.handle(Request(method="GET", target=kept["path"], origin=request.origin))
        return replace(answer, status=201)

    def listed(document: Any) -> Any:
        hidden = [row for row in document["Resources"] if row["id"] != kept["id"] or not row.get("userName")]
        return {**document, "Resources": hidden, "totalResults": len(hidden)}

    def after(request: Request, answer: Response) -> Response:
        listing = request.method == "GET" and request.target.partition("?")[0].endswith("/Users")
        return rewritten(answer, listed) if kept and listing and not running.sent("POST") else answer

    with odd(before=before, after=after) as running, team_on(tmp_path, running) as team:
        team.declare({"bob": BOB})
        team.brought_about()
        old = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "ann@example.com",
            "displayName": "Old",
            "title": "Clerk",
            "phoneNumbers": [{"type": "work", "value": "+442079460000"}],
            **more,
        }
        row = running.foreign.request("POST", "/Users", old)
        running.asked.clear()
        kept |= {"id": row["id"], "path": f"/scim/v2/Users/{row['id']}"}
        lines = {"roles": ["agent"], "phoneNumbers": {"work": "+442079460099"}, "emails": {"work": "ann@example.com"}}
        team.declare({"bob": BOB, "ann": user("ann", **lines)}, {"support": group("Support", "ann")})
        applied = said(team.apply().out)
        assert "user.ann: restored: the server brought an earlier user back" in applied
        assert f"it came with what nobody declared: {'roles, title' if more else 'title'}" in applied
        team.settled()
        row = running.foreign.users()["ann@example.com"]
        assert row["id"] == kept["id"]
        assert (row["active"], row["displayName"], row["title"]) == (True, "Ann", "Clerk")
        assert sorted(each["value"] for each in row["roles"]) == (["admin", "agent"] if more else ["agent"])
        assert [each["value"] for each in row["phoneNumbers"]] == ["+442079460099"]
        assert members(running.foreign, "Support") == {"ann"}
