"""What random worlds have found, each as the plain case it is."""

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
