"""What is left out of a plan where the provider cannot change groups in place, and how that is said."""

from msgspec.structs import replace

from reconciler.model import (
    Action,
    Address,
    AttributeChange,
    Cause,
    Change,
    PatchOp,
    ResourceType,
    SourceLocation,
)
from reconciler.planning.possible import without_impossible
from reconciler.profiles.profile import RFC

NO_PATCH = replace(RFC, lifecycle=replace(RFC.lifecycle, group_update=False))
SUPPORT, ANN = Address(ResourceType.GROUP, "support"), Address(ResourceType.USER, "ann")


def member(item: str, op: PatchOp = PatchOp.ADD) -> AttributeChange:
    return AttributeChange(path="members", op=op, cause=Cause.DECLARED, item=item)


NAME = AttributeChange(path="displayName", op=PatchOp.REPLACE, cause=Cause.DECLARED, before="A", after="B")
TITLE = AttributeChange(path="title", op=PatchOp.ADD, cause=Cause.DECLARED, after="Lead")


def change(address: Address, action: Action, *parts: AttributeChange) -> Change:
    return Change(
        address=address,
        actions=(action,),
        cause=Cause.DECLARED,
        label="x",
        attribute_changes=parts,
        source=SourceLocation("identities/a.yaml", 3),
    )


def test_everything_is_possible_where_groups_can_be_changed() -> None:
    changes = [change(SUPPORT, Action.UPDATE, member("1"))]
    assert without_impossible(changes, RFC) == (tuple(changes), ())


def test_users_are_not_concerned() -> None:
    changes = [change(ANN, Action.UPDATE, TITLE)]
    assert without_impossible(changes, NO_PATCH) == (tuple(changes), ())


def test_a_group_is_created_and_deleted_but_gets_no_members() -> None:
    create, delete = change(SUPPORT, Action.CREATE, NAME, member("1")), change(SUPPORT, Action.DELETE)
    possible, refused = without_impossible([create, delete], NO_PATCH)
    assert possible == (replace(create, attribute_changes=(NAME,)), delete)
    (only,) = refused
    assert only.summary == (
        "its members cannot be changed (1 to add): the server has no PATCH, and a group is never replaced as a whole"
    )
    assert (only.address, only.source) == (SUPPORT, create.source)


def test_a_change_of_a_group_is_refused_in_one_line() -> None:
    update = change(SUPPORT, Action.UPDATE, NAME, member("1"), member("2"), member("3", PatchOp.REMOVE))
    possible, refused = without_impossible([update, change(ANN, Action.UPDATE, TITLE)], NO_PATCH)
    assert [each.address for each in possible] == [ANN]
    (only,) = refused
    assert only.summary.startswith("its members and displayName cannot be changed (2 to add, 1 to remove): ")
