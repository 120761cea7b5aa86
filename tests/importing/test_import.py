"""`reconciler import`: what a target holds becomes declarations that a plan leaves as they are."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.drafting import Draft, drafted, file_of
from reconciler.model import ResourceType
from reconciler.profiles.loading import load_profile
from reconciler.project import open_project
from reconciler.refreshing import decode_resource
from reconciler.running.plans import plan_target
from reconciler.running.run import Options
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from reconciler.transport.listing import Row
from tests.cli.in_process import quick
from tests.cli.provider import provider
from tests.importing.import_place import ANN, BOB, ENT, SETTINGS, Place

HR = "urn:example:hr:2.0:User"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(quick(tmp_path / "here"))


def test_everybody_is_written_as_people_would_write_it(place: Place) -> None:
    place.holds(ANN, BOB, groups={"Support Team": [0, 1], "Empty": []})
    found = place.imported()
    assert found["users"]["ann.lee"] == {
        "userName": "ann.lee@example.com",
        "displayName": "Ann Lee",
        "name": {"familyName": "Lee", "givenName": "Ann"},
        "title": "Agent",
        "emails": {"home": "a@b.c", "work": {"value": "ann.lee@example.com", "primary": True}},
        "phoneNumbers": {"work": "+442079460958 x12"},
        "addresses": {"work": {"locality": "Leeds", "country": "GB"}},
        "roles": ["agent", "lead"],
        "employeeNumber": "000142",
        "department": "Support",
    }
    assert found["groups"]["support-team"] == {"displayName": "Support Team", "members": ["ann.lee", "bob"]}
    assert found["groups"]["empty"] == {"displayName": "Empty"}
    ran = place.plan()
    assert (ran.code, "No changes." in ran.out) == (0, True), ran.out


def test_a_manager_is_named_by_key_or_as_somebody_who_is_not_declared(place: Place) -> None:
    (boss, rest) = place.holds(BOB, {**BOB, "userName": "gone@example.com", "active": False})
    place.holds(
        {**ANN, ENT: {"manager": {"value": boss}}},
        {"userName": "cy@example.com", ENT: {"manager": {"value": rest}}},
        {"userName": "di@example.com", ENT: {"manager": {"value": "nobody"}}},
    )
    ran = place.folder.run("import")
    assert ran.code == 5
    assert "user.di: manager is left out: whoever it is, is in no listing" in " ".join(ran.err.split())
    users = place.written()["users"]
    assert users["ann.lee"]["manager"] == "bob"
    assert users["cy"]["manager"] == {"live": "gone@example.com"}
    assert "manager" not in users["di"]
    assert place.plan().code == 0


def test_inactive_users_are_taken_when_asked_for(place: Place) -> None:
    place.holds(ANN, {**BOB, "active": False}, groups={"Support": [0, 1]})
    ran = place.folder.run("import")
    assert "1 inactive user left out; --inactive takes them too." in ran.out
    found = place.written()
    assert "bob" not in found["users"]
    assert found["groups"]["support"]["members"] == ["ann.lee", {"live": "bob@example.com"}]
    assert place.plan().code == 0
    ran = place.folder.run("import", "--inactive", "--out", "identities/more")
    assert ran.code == 5
    assert "identities/groups.yaml:9:" in ran.err
    assert '"bob@example.com" is left out: here it is named as live' in " ".join(ran.err.split())


def test_with_inactive_users_the_whole_organisation_is_declared(place: Place) -> None:
    place.holds(ANN, {**BOB, "active": False}, groups={"Support": [0, 1]})
    found = place.imported("--inactive")
    assert found["users"]["bob"]["active"] is False
    assert found["groups"]["support"]["members"] == ["ann.lee", "bob"]
    assert place.plan().code == 0


def test_who_is_declared_already_is_not_written_again(place: Place) -> None:
    place.holds(ANN, BOB, groups={"Support": [0, 1]})
    place.folder.write(
        "identities/here.yaml", "users:\n  annie: {userName: ANN.LEE@example.com, displayName: Ann Lee}\n"
    )
    found = place.imported("--out", "identities/found")
    assert {*found["users"]} == {"bob", "annie"}
    assert found["groups"]["support"]["members"] == ["annie", "bob"]
    again = place.folder.run("import", "--out", "identities/again")
    assert again.out.startswith("0 users and 0 groups written.")
    assert "are declared already." in again.out
    assert not (place.folder.path / "identities" / "again").exists()


def test_a_filter_takes_some_users_and_no_groups(place: Place) -> None:
    place.holds(ANN, BOB, groups={"Support": [0, 1]})
    found = place.imported("--filter", 'title eq "Agent"')
    assert ([*found["users"]], found["groups"]) == (["ann.lee"], {})
    assert place.plan().code == 0


def test_a_filter_at_a_server_that_spells_the_id_otherwise(tmp_path: Path) -> None:
    with provider() as running:
        folder = quick(tmp_path / "here")
        folder.write("reconciler.yaml", running.settings())

        def spelled(request: Request) -> Response:
            answer = running.service.handle(request)
            return Response(status=answer.status, headers=answer.headers, body=answer.body.replace(b'"id"', b'"ID"'))

        for each in (ANN, BOB):
            body = json.dumps({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], **each}).encode()
            running.service.handle(Request(method="POST", target="/scim/v2/Users", headers={}, body=body))
        running.before = spelled
        ran = folder.run("import", "--filter", 'title eq "Agent"')
    assert (ran.code, "1 user and 0 groups written" in ran.out) == (0, True), ran.out + ran.err


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["ann@a.example", "ann@b.example"], ["ann", "ann@b.example"]),
        (["Ann@a.example", "aNN@b.example"], ["Ann", "aNN@b.example"]),
        (["ann@a.example", "ann"], ["ann@a.example", "ann"]),
        (["o'brien+x@a.example", "zoë@a.example", "李@a.example"], ["o-brien+x", "zoe", "user"]),
        (["-", "@", "…"], ["user", "user-2", "user-3"]),
        ([f"{'x' * 90}@a.example"], ["x" * 60]),
    ],
)
def test_keys_are_free_and_fit(names: list[str], keys: list[str], place: Place) -> None:
    place.holds(*({"userName": each} for each in names))
    users = place.imported()["users"]
    assert {key: each["userName"] for key, each in users.items()} == dict(zip(keys, names, strict=True))
    assert place.plan().code == 0


HOSTILE = [
    *("no", "null", "~", "true", "1e3", "02142", "2026-01-02", "1:30", "- x", "# x", "a #b", "a: b", "{a}", "[a", "'"),
    *('"', "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "x\ty", "é", "e\u0301", "\u202ex", "\u200b", "\U0001f600"),
    *("a\nb", " a ", "?", "<<", "="),
]


def test_every_text_is_written_so_that_it_is_read_back(place: Place) -> None:
    place.holds(
        *(
            {"userName": f"u{number}@example.com", "displayName": text, "title": text, "roles": [{"value": text}]}
            for number, text in enumerate(HOSTILE)
        )
    )
    users = place.imported()["users"]
    for number, text in enumerate(HOSTILE):
        once = unicodedata.normalize("NFC", text)
        kept = users[f"u{number}"]
        assert (kept["displayName"], kept["title"], kept["roles"]) == (once, once, [once])
    plan = place.plan()
    assert (plan.code, "No changes." in plan.out) == (0, True), plan.out + plan.err


def test_values_that_cannot_be_declared_are_left_out_one_by_one_and_named(place: Place) -> None:
    phones = [
        {"type": "work", "value": "extension 12"},
        {"type": "mobile", "value": "+447700900123"},
        {"type": "fax", "value": "+442079460958"},
        {"type": "fax", "value": "+442079460959"},
        {"value": "+442079460958"},
    ]
    place.holds(
        {**BOB, "phoneNumbers": phones, "name": {"givenName": "Bo\nb", "familyName": "\x00"}},
        {**ANN, "emails": [{"type": "work", "value": "Agent"}, {"type": "home", "value": "a@b.c"}]},
    )
    ran = place.folder.run("import")
    assert ran.code == 5
    said = " ".join(ran.err.split())
    for words in (
        "user.bob: phoneNumbers.work is left out",
        "user.bob: phoneNumbers is left out: a value without type",
        "user.bob: phoneNumbers.fax is left out: 2 values of type fax",
        "user.bob: name.familyName is left out: this text holds a control character",
        'user.ann.lee: emails.work is left out: "Agent" is no e-mail address',
    ):
        assert words in said
    users = place.written()["users"]
    assert users["bob"]["phoneNumbers"] == {"mobile": "+447700900123"}
    assert users["bob"]["name"] == {"givenName": "Bo\nb"}
    assert users["ann.lee"]["emails"] == {"home": "a@b.c"}
    assert place.folder.run("validate").code == 0
    assert place.plan().code == 0


def test_of_a_list_that_is_complete_or_nothing_no_value_is_left_out_alone(place: Place) -> None:
    place.holds({**BOB, "roles": [{"value": "lead"}, {"value": "\x1b[31m"}]})
    ran = place.folder.run("import")
    assert ran.code == 5
    assert "without that the others cannot be" in " ".join(ran.err.split())
    assert "roles" not in place.written()["users"]["bob"]
    assert place.plan().code == 0


def test_a_group_of_which_a_member_cannot_be_named_is_additive(place: Place) -> None:
    place.holds(BOB, {"userName": "x\x00y"}, groups={"Support": [0, 1]})
    ran = place.folder.run("import")
    assert "is left out: this text holds a control character notice" in " ".join(ran.err.split())
    assert "group.support: members are left out: one cannot be named here" in " ".join(ran.err.split())
    group = place.written()["groups"]["support"]
    assert group == {"displayName": "Support", "members": ["bob"], "membership": "additive"}
    assert place.plan().code == 0


def test_what_is_alike_for_many_is_said_once_with_all_their_names(place: Place) -> None:
    mail = [{"type": "work", "value": "none"}]
    place.holds(*({"userName": f"u{number}@example.com", "emails": mail} for number in range(3)))
    said = " ".join(place.folder.run("import").err.split())
    assert 'emails.work is left out of 3 users: "none" is no e-mail address user.u0, user.u1, user.u2' in said


def test_what_no_file_could_hold_is_left_out() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    draft = draft_of({"id": "1", "userName": "bob", "title": "x" * 2_000_000, HR: {"deep": deep, "badge": "7"}})
    assert draft.data == {"userName": "bob", HR: {"badge": "7"}}
    assert draft.lost == {
        ("title",): "it has more than 1,000,000 characters",
        (HR, "deep"): "it has more than 40 levels",
    }


def draft_of(row: Row) -> Draft:
    profile = load_profile("rfc")
    rules = profile.rules(ResourceType.USER)
    return drafted(decode_resource(row, ResourceType.USER, profile), "bob", rules, {}, {})


def test_an_extension_that_nobody_describes_is_written_under_its_urn() -> None:
    row: Row = {"id": "1", "userName": "bob@example.com", HR: {"badge": "7", "shirt": {"size": "m"}, "floors": [1, 2]}}
    draft = draft_of(row)
    assert draft.data[HR] == {"badge": "7", "floors": [1, 2], "shirt": {"size": "m"}}
    assert file_of([draft], ["# x"]).text.splitlines()[-1] == (
        f"    {HR}: {{badge: '7', floors: [1, 2], shirt: {{size: m}}}}"
    )


def test_nothing_is_overwritten(place: Place) -> None:
    place.holds(ANN)
    place.folder.write("identities/users.yaml", "released: [zoe]\n")
    ran = place.folder.run("import")
    assert ran.code == 0
    assert "written to identities/users-2.yaml and identities/groups.yaml." in ran.out
    assert (place.folder.path / "identities/users.yaml").read_text() == "released: [zoe]\n"


@pytest.mark.parametrize("folder", ["elsewhere", "..", "identities/../.."])
def test_a_folder_that_the_target_does_not_read_is_refused(folder: str, place: Place) -> None:
    place.holds(ANN)
    ran = place.folder.run("import", "--out", folder)
    assert ran.code == 64
    assert "does not read" in ran.err


def test_in_a_folder_that_others_read_too_the_target_is_named(place: Place) -> None:
    place.folder.write(
        "reconciler.yaml", f"defaultTarget: office\n{SETTINGS}  other: {{profile: rfc, url: 'sandbox:'}}\n"
    )
    place.holds(ANN)
    assert place.imported()["users"]["ann.lee"]["targets"] == ["office"]
    assert place.plan().code == 0
    other = place.folder.run("plan", "--target", "other")
    assert "ann.lee" not in other.out


def test_wrong_declarations_come_first(place: Place) -> None:
    place.holds(ANN)
    place.folder.write("identities/here.yaml", "users:\n  bob: {usrName: b@example.com}\n")
    ran = place.folder.run("import", "--out", "identities/found")
    assert ran.code == 1
    assert "identities/here.yaml:2" in ran.err
    assert not (place.folder.path / "identities" / "found").exists()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
WORDS = st.sampled_from(["Agent", "no", "Lead: north", "x # y", "0", "Zoë", "e\u0301", "~", "*"])
PHONES = st.sampled_from(["+442079460958", "tel:+44-20-7946-0958;ext=1", "+44 7700 900123", "12", "home"])


@st.composite
def users(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"active": draw(st.booleans())}
    found |= {name: draw(WORDS | TEXT) for name in ("displayName", "title", "nickName") if draw(st.booleans())}
    if draw(st.booleans()):
        found["name"] = {"givenName": draw(WORDS), "familyName": draw(WORDS | TEXT)}
    found["emails"] = [
        {"type": kind, "value": draw(WORDS)}
        for kind in draw(st.lists(st.sampled_from(["work", "home", "Desk"]), max_size=3))
    ]
    found["phoneNumbers"] = [
        {"type": kind, "value": draw(PHONES)}
        for kind in draw(st.lists(st.sampled_from(["work", "mobile"]), max_size=3))
    ]
    found["roles"] = [{"value": each} for each in draw(st.lists(WORDS, unique=True, max_size=3))]
    found[ENT] = {"department": draw(WORDS | TEXT)} if draw(st.booleans()) else {}
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    people=st.lists(users(), min_size=1, max_size=5),
    logins=st.permutations(["ann@a", "ann@b", "bob", "ann", "Zoë@a"]),
    members=st.lists(st.sets(st.integers(0, 4)), max_size=3),
    inactive=st.booleans(),
)
def test_a_plan_right_after_has_nothing_to_do(
    people: list[dict[str, Any]],
    logins: list[str],
    members: list[set[int]],
    inactive: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = Place(quick(tmp_path_factory.mktemp("place")))
    groups = {f"Group {number}": [each for each in held if each < len(people)] for number, held in enumerate(members)}
    place.holds(*({"userName": login} | each for login, each in zip(logins, people, strict=False)), groups=groups)
    ran = place.folder.run("import", *(["--inactive"] if inactive else []))
    assert ran.code in (0, 5), ran.err
    if (place.folder.path / "identities").exists():
        plan = plan_target(open_project(place.folder.path, None, None), Options()).plan
        assert (plan.changes, plan.drift, plan.refused, plan.violations) == ((), (), (), ())
