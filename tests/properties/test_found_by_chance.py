"""What random worlds have found, each as the plain case it is."""

from reconciler.model import Succeeded
from tests.properties.drawn_lines import Declarations
from tests.properties.drawn_servers import Population
from tests.properties.stage import staged


def test_who_is_found_after_her_time_goes_at_once() -> None:
    """She was put off and into her group by the first run, and deleted by the next, which nobody had reviewed."""
    with staged("rfc") as stage:
        ann = {"id": "l-ann", "displayName": "Ann", "userName": "ann@x.example", "active": True}
        red = {"id": "g-red", "displayName": "red", "members": []}
        Population([ann], [red]).settle_in(stage.provider.service)
        lines = {"userName": "ann@x.example", "endsOn": "2026-06-13", "deleteAfter": 1, "groups": ["red"]}
        said = Declarations(users={"ann": lines}, groups={"red": {"displayName": "red"}})
        stage.declare(said.files())
        applied = stage.apply()
        assert applied.outcome is not None
        assert applied.outcome.unverified == ()
        assert "l-ann" not in applied.after
        assert applied.after["g-red"].get("members", []) == []
        assert stage.plan().plan.changes == ()


def test_who_comes_back_refers_to_nobody_who_was_deleted_meanwhile() -> None:
    """A contact centre that brings a deleted person back with her old manager would refuse its own value for ever."""
    with staged("genesys") as stage:
        people = [{"id": f"l-{each}", "displayName": each, "userName": f"{each}@x.example"} for each in ("ann", "bob")]
        people[0]["manager"] = "l-bob"
        Population(people, []).settle_in(stage.provider.service)
        for each in ("l-ann", "l-bob"):
            assert stage.ask("DELETE", f"/Users/{each}").status == 204
        stage.declare(Declarations(users={"ann": {"userName": "ann@x.example", "displayName": "Ann"}}).files())
        applied = stage.apply()
        assert [type(each) for each in applied.results] == [Succeeded]
        assert applied.after["l-ann"]["displayName"] == "Ann"
        assert stage.plan().plan.changes == ()


def test_a_login_that_somebody_keeps_is_refused_in_the_plan_and_not_by_the_server() -> None:
    """Bob leaves and is put off, so he keeps his login; Ann cannot have it, and Cat cannot have hers."""
    with staged("rfc") as stage:
        first = {"ann": {"userName": "ann@x.example"}, "bob": {"userName": "bob@x.example"}}
        stage.declare(Declarations(users=first).files())
        stage.apply()
        ann = {"userName": "BOB@x.example", "title": "Lead"}
        cat = {"userName": "ann@x.example"}
        crew = {"displayName": "Crew", "members": ["ann", "cat"]}
        stage.declare(Declarations(users={"ann": ann, "cat": cat}, groups={"crew": crew}).files())
        for _ in range(2):
            applied = stage.apply()
            refused = [(each.code, str(each.address)) for each in applied.shown.plan.refused]
            assert refused == [("name-taken", "user.ann"), ("name-taken", "user.cat")]
            assert all(isinstance(each, Succeeded) for each in applied.results)
        assert stage.plan().plan.changes == ()
        people = {each["userName"]: each for each in applied.after.values() if "userName" in each}
        assert people["ann@x.example"]["title"] == "Lead"
        assert people["bob@x.example"]["active"] is False
        (group,) = [each for each in applied.after.values() if each.get("displayName") == "Crew"]
        assert [each["value"] for each in group["members"]] == [people["ann@x.example"]["id"]]


def test_a_login_that_its_holder_gives_up_in_the_same_run_can_be_had() -> None:
    with staged("rfc") as stage:
        stage.declare(Declarations(users={key: {"userName": f"{key}@x.example"} for key in ("ann", "bob")}).files())
        stage.apply()
        then = {"ann": {"userName": "bob@x.example"}, "bob": {"userName": "rob@x.example"}}
        stage.declare(Declarations(users=then).files())
        applied = stage.apply()
        assert applied.shown.plan.refused == ()
        assert {each.get("userName") for each in applied.after.values()} >= {"bob@x.example", "rob@x.example"}
        assert stage.plan().plan.changes == ()
