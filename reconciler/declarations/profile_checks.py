"""What one target's profile asks of a resolved resource as a whole: required values, dates, amounts, removals."""

from typing import Any

from reconciler.declarations.layers import Elements, Items, Spot
from reconciler.declarations.people import Person
from reconciler.declarations.reporting import Reporter, quoted
from reconciler.declarations.resolution import Resolution
from reconciler.model import Address, DesiredResource, ItemKey, Removal, SourceLocation, without_case
from reconciler.scim.attributes import Attribute, Kind
from reconciler.scim.paths import short_path
from reconciler.suggestions import suggestion


def check_required(found: Resolution, report: Reporter) -> None:
    """Everything that a create needs has a value."""
    profile = found.compiler.profile
    for resource in (*found.users.values(), *found.groups.values()):
        for path in profile.rules(resource.address.resource_type).required:
            name = short_path(path).partition(".")[0]
            if resource.attributes.get(path) is None and not found.compiler.may_hold(resource.address, name):
                cleared = resource.origins.get(path)
                report.error(
                    "missing-attribute",
                    (cleared.source if cleared else None) or resource.source,
                    f"{resource.address} has no {short_path(path)}, which {profile.title} needs",
                    mend=f"write {short_path(path)}",
                    of=resource.address,
                )


def check_dates(found: Resolution, report: Reporter) -> None:
    """Dates in order, `active` not beside them, `deleteAfter` only after an end."""
    for address, user in found.users.items():
        life = user.lifecycle
        if life.starts_on is not None and life.ends_on is not None and life.starts_on > life.ends_on:
            report.error(
                "dates-out-of-order",
                _place(user, "endsOn"),
                f"{address} ends on {life.ends_on}, before her first day {life.starts_on}",
                mend="mend one of the dates",
                of=address,
            )
        if life.active is not None and (life.starts_on is not None or life.ends_on is not None):
            report.error(
                "active-with-dates",
                _place(user, "active"),
                f"{address} has both active and dates",
                why="The dates say when she is active.",
                mend="take one of the two out; in the user's own lines, null clears a template's",
                of=address,
            )
        open_end = life.ends_on is None and not found.compiler.may_hold(address, "endsOn")
        if life.delete_after is not None and open_end:
            report.error(
                "delete-without-end",
                _place(user, "deleteAfter"),
                f"{address} has deleteAfter and no endsOn",
                why="The days count from endsOn.",
                mend="write endsOn, or take deleteAfter out",
                of=address,
            )


def check_amounts(found: Resolution, report: Reporter) -> None:
    """No more values than the service provider keeps, and one primary element at most."""
    table = found.compiler.profile.users.table
    for address, person in found.people.items():
        for name, compiled in person.merged.items():
            if isinstance(compiled, Items) and (attribute := table.get(name)) is not None:
                _few_enough(attribute, len(compiled.items), compiled.spot, address, report)
            elif isinstance(compiled, Elements) and (attribute := table.get(name)) is not None:
                _few_enough(attribute, len(compiled.elements), compiled.spot, address, report)
                _one_primary(attribute, compiled, address, report)


def check_renames(found: Resolution, report: Reporter) -> None:
    """A group gets no new name by `formerly` where the service provider renames none; a plan would refuse it."""
    profile = found.compiler.profile
    if profile.lifecycle.group_rename:
        return
    for address, group in found.groups.items():
        if group.formerly:
            report.warning(
                "groups-cannot-be-renamed",
                group.source,
                f"{address} has formerly, and {profile.title} renames no groups over SCIM",
                mend=f"give it its new name {profile.lifecycle.group_place}",
                of=address,
            )


def check_removals(found: Resolution, report: Reporter) -> None:
    """Nobody waits for groups to be deleted where the service provider deletes none."""
    profile, policy = found.compiler.profile, found.compiler.target.policy
    place = policy.sources.get("removal.groups")
    if place is not None and policy.removal_groups is Removal.DELETE and not profile.lifecycle.group_delete:
        report.warning(
            "groups-cannot-be-deleted",
            place,
            f"policy.removal.groups is delete, and {profile.title} deletes no groups over SCIM",
            why="A group that leaves git is emptied of the members given here, and stays.",
            mend=f"write keep for target {found.compiler.target.name}; delete groups {profile.lifecycle.group_place}",
        )


def check_without(found: Resolution, report: Reporter) -> None:
    """`without` takes out something that a template gives, and that the lines beside it do not give again."""
    for address, person in found.people.items():
        written = person.entry.data.get("without", {})
        own = person.layers[-1]
        for name, names in own.without.items():
            given = _given(person, name)
            again = own.lines.get(name)
            for item in sorted(names, key=str):
                source, label = _item_place(person, written, name, item), _label(item)
                if isinstance(again, Items) and item in again.items:
                    report.error(
                        "contradiction",
                        source,
                        f"{address} has {quoted(label)} in {name} and in without.{name}",
                        mend="take one of the two out",
                        of=address,
                    )
                elif item not in given and not found.compiler.may_hold(address, name):
                    report.warning(
                        "without-nothing",
                        source,
                        f"no template gives {address} {quoted(label)} in {name}",
                        mend=suggestion(label, [_label(each) for each in given]) or "take it out of without",
                        of=address,
                    )


def _few_enough(attribute: Attribute, count: int, spot: Spot, address: Address, report: Reporter) -> None:
    if attribute.max_values is not None and count > attribute.max_values:
        summary = f"{address} has {count} values in {attribute.name}; {attribute.max_values} is the most"
        report.error("too-many-values", spot.source, summary, mend="take some out", of=address)


def _one_primary(attribute: Attribute, compiled: Elements, address: Address, report: Reporter) -> None:
    if attribute.kind is not Kind.KEYED or "primary" not in attribute.parts:
        return
    primary = [
        spot
        for parts in compiled.elements.values()
        for path, (value, spot) in parts.cells.items()
        if value is True and path.endswith("].primary")
    ]
    if len(primary) > 1:
        summary = f"{address} has {len(primary)} primary values in {attribute.name}; one is the most"
        mend = "write primary: true once"
        report.error("several-primary", primary[1].source, summary, mend=mend, of=address)


def _given(person: Person, name: str) -> set[ItemKey]:
    lines = (layer.lines.get(name) for layer in person.layers[:-1])
    return {item for each in lines if isinstance(each, Items) for item in each.items}


def _item_place(person: Person, written: dict[str, Any], name: str, item: ItemKey) -> SourceLocation:
    names = written[name]
    spelled = [without_case(str(each)) for each in names]
    label = without_case(_label(item))
    return person.entry.places.value(names, spelled.index(label) if label in spelled else 0)


def _label(item: ItemKey) -> str:
    return item.key if isinstance(item, Address) else str(item)


def _place(resource: DesiredResource, path: str) -> SourceLocation:
    origin = resource.origins.get(path)
    return (origin.source if origin else None) or resource.source
