"""What random worlds have found, each as the plain case it is."""

from reconciler.model import Succeeded
from tests.properties.drawn_lines import Declarations
from tests.properties.drawn_servers import Population
from tests.properties.stage import staged


def test_who_is_adopted_after_her_time_is_no_fault_of_the_server() -> None:
    """She is put off and into her group by the first run and deleted by the next: the server kept all it was given."""
    with staged("rfc") as stage:
        ann = {"id": "l-ann", "displayName": "Ann", "userName": "ann@x.example", "active": True}
        red = {"id": "g-red", "displayName": "red", "members": []}
        Population([ann], [red]).settle_in(stage.provider.service)
        lines = {"userName": "ann@x.example", "endsOn": "2026-06-13", "deleteAfter": 1, "groups": ["red"]}
        said = Declarations(users={"ann": lines}, groups={"red": {"displayName": "red"}})
        stage.declare(said.files())
        for gone in (False, True):
            applied = stage.apply()
            assert applied.outcome is not None
            assert applied.outcome.unverified == ()
            assert ("l-ann" not in applied.after) is gone


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
