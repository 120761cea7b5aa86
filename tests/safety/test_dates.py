"""Dates from the line to the server: time zones, rehearsal, what the next days bring, whole lives by the calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.model import Plan
from reconciler.project import day_in, open_project
from reconciler.running.applies import apply_target
from reconciler.running.plans import plan_target
from reconciler.running.run import Options
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, provider

START = date(2026, 3, 1)


# --- what day it is


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("UTC", "2026-12-31T23:59:59Z", "2026-12-31"),
        ("UTC", "2027-01-01T00:00:00Z", "2027-01-01"),
        # both sides of the date line, at one moment
        ("Pacific/Kiritimati", "2026-06-15T10:30:00Z", "2026-06-16"),
        ("Pacific/Niue", "2026-06-15T10:30:00Z", "2026-06-14"),
        ("Pacific/Pago_Pago", "2026-06-15T10:59:59Z", "2026-06-14"),
        ("Pacific/Auckland", "2026-06-15T11:59:59Z", "2026-06-15"),
        ("Pacific/Auckland", "2026-06-15T12:00:00Z", "2026-06-16"),
        # Samoa left out 30 December 2011
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
        # midnight before and after the clocks change
        ("Europe/Berlin", "2026-03-28T22:59:59Z", "2026-03-28"),
        ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-29"),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-30"),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-25"),
        ("Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-26"),
        # zones whose clocks change at midnight, so that a day begins at one o'clock or twice
        ("America/Havana", "2026-03-08T04:59:59Z", "2026-03-07"),
        ("America/Havana", "2026-03-08T05:00:00Z", "2026-03-08"),
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01"),
        ("America/Havana", "2026-11-01T05:30:00Z", "2026-11-01"),
        # offsets that are no whole hours
        ("Asia/Kathmandu", "2026-06-15T18:14:59Z", "2026-06-15"),
        ("Asia/Kathmandu", "2026-06-15T18:15:00Z", "2026-06-16"),
        ("Australia/Lord_Howe", "2026-06-15T13:30:00Z", "2026-06-16"),
    ],
)
def test_the_day_in_a_zone(zone: str, moment: str, expected: str) -> None:
    assert day_in(zone, datetime.fromisoformat(moment.replace("Z", "+00:00"))).isoformat() == expected


def test_a_persons_zone_counts_for_her_and_the_targets_for_all_others(tmp_path: Path) -> None:
    """However late it is: between these two zones there is always a date line."""
    now = datetime.now(UTC)
    east = day_in("Pacific/Kiritimati", now)
    west = day_in("Pacific/Niue", now)
    assert east > west
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", "targets:\n  t: {profile: rfc, url: 'sandbox:', timeZone: Pacific/Niue}\n")
    lines = f"startsOn: {east}"
    folder.write(
        "identities/a.yaml",
        f"users:\n  ann: {{userName: ann@x.io, {lines}, timeZone: Pacific/Kiritimati}}\n"
        f"  bob: {{userName: bob@x.io, {lines}}}\n",
    )
    project = open_project(tmp_path, None, None)
    desired, _ = project.desired(project.target(None))
    phases = {str(address): each.lifecycle.phase for address, each in desired.resources.items()}
    assert phases == {"user.ann": "within", "user.bob": "before"}
    assert desired.today == west


# --- rehearsal


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    made = quick(tmp_path)
    made.write("reconciler.yaml", "targets:\n  t: {profile: rfc, url: 'sandbox:'}\n")
    made.write(
        "identities/a.yaml",
        "users:\n"
        "  ann: {userName: ann@x.io, startsOn: 2199-02-01, endsOn: 2199-06-30, deleteAfter: 30}\n"
        "  bob: {userName: bob@x.io}\n"
        "groups:\n"
        "  crew: {displayName: Crew, members: [{user: bob, until: 2199-02-10}, ann]}\n",
    )
    assert made.run("apply", "--auto-approve").code == 0
    return made


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2199-01-31", ["starts on 2199-02-01", "the membership of bob ends after 2199-02-10"]),
        ("2199-02-01", ["user.ann will be reactivated", "the membership of bob ends after 2199-02-10"]),
        ("2199-02-10", ["user.ann will be reactivated", "the membership of bob ends after 2199-02-10"]),
        ("2199-02-11", ["user.ann will be reactivated", "- bob", "last day was 2199-02-10"]),
        ("2199-06-20", ["user.ann will be reactivated", "the last day is 2199-06-30"]),
        ("2199-07-20", ["will be deleted on 2199-07-31"]),
        ("2199-07-30", ["will be deleted on 2199-07-31"]),
        ("2199-07-31", ["user.ann will be deleted"]),
        ("9999-12-31", ["user.ann will be deleted"]),
    ],
)
def test_another_day_is_rehearsed(day: str, expected: list[str], folder: QuickFolder) -> None:
    ran = folder.run("plan", "--today", day)
    text = " ".join(ran.out.split())
    assert ran.code == 0, ran.out + ran.err
    assert f"this is what {day} would bring if nothing else changed before" in text
    assert not [each for each in expected if each not in text], ran.out
    # nothing is remembered of it
    assert folder.run("plan", "--detailed-exitcode").code == 0


def test_a_membership_that_is_over_is_not_announced_again(folder: QuickFolder) -> None:
    assert "ends after" not in folder.run("plan", "--today", "2199-02-11").out
    assert "ends after" not in folder.run("plan", "--today", "2199-01-26").out
    assert "ends after" in folder.run("plan", "--today", "2199-01-27").out


def test_drift_can_be_looked_at_on_another_day(folder: QuickFolder) -> None:
    assert folder.run("drift", "--today", "2199-02-01").code == 0


@pytest.mark.parametrize("written", ["tomorrow", "2026-13-01", "2026-02-29", "20260101", "2026-1-1x", ""])
def test_what_is_no_day(written: str, folder: QuickFolder) -> None:
    ran = folder.run("plan", "--today", written)
    assert ran.code == 64
    assert "write it as 2026-12-31" in ran.err


def test_an_apply_knows_no_other_day(folder: QuickFolder) -> None:
    ran = folder.run("apply", "--auto-approve", "--today", "2199-02-01")
    assert ran.code == 64
    assert "an apply works on the day it is" in ran.err


# --- whole lives


@pytest.fixture
def running() -> Iterator[Provider]:
    with provider() as started:
        yield started


def on(day: date, path: Path) -> Plan:
    """Apply on a day; gives the plan it carried out, and leaves nothing to do."""
    project = open_project(path, None, None)
    done = apply_target(project, Options(today=day), confirm=lambda reconciliation: True)
    assert done is not None
    assert not done.troubles
    assert not done.unverified
    assert not done.reconciliation.plan.violations, done.reconciliation.plan.violations
    assert not plan_target(project, Options(today=day)).plan.changes
    return done.reconciliation.plan


def told(plan: Plan) -> list[str]:
    """Action and cause of every change, or of the items of a list."""
    return sorted(
        f"{each.address} {' '.join(each.actions)} {each.cause}"
        + "".join(f" {one.op} {one.path}" for one in each.attribute_changes if one.item is not None)
        for each in plan.changes
        if "create" not in each.actions
    )


def test_a_whole_life_by_the_calendar(tmp_path: Path, running: Provider) -> None:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", running.settings())
    folder.write(
        "identities/a.yaml",
        "users:\n"
        "  ann: {userName: ann@x.io, roles: [Agent], startsOn: 2026-03-05, endsOn: 2026-03-20, deleteAfter: 10}\n"
        "  bob: {userName: bob@x.io}\n"
        "groups:\n  crew: {displayName: Crew, members: [ann, {user: bob, until: 2026-03-12}]}\n",
    )
    seen: dict[int, list[str]] = {}
    for number in range(35):
        found = told(on(START + timedelta(days=number), tmp_path))
        if found:
            seen[number + 1] = found
    assert seen == {
        5: ["user.ann reactivate due"],
        13: ["group.crew update due remove members"],
        21: ["user.ann deactivate due"],
        31: ["group.crew update due remove members", "user.ann delete due"],
    }
    assert set(running.users()) & {"ann@x.io", "bob@x.io"} == {"bob@x.io"}


def test_days_without_a_run_are_made_up_for_at_once(tmp_path: Path, running: Provider) -> None:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", running.settings())
    lines = "users:\n  ann: {userName: ann@x.io, endsOn: 2026-03-20}\n  bob: {userName: bob@x.io}\ngroups:\n"
    group = "  crew: {{displayName: Crew, members: [{{user: bob, until: {until}}}]}}\n"
    folder.write("identities/a.yaml", lines + group.format(until="2026-03-12"))
    on(START, tmp_path)
    assert told(on(date(2027, 1, 1), tmp_path)) == [
        "group.crew update due remove members",
        "user.ann deactivate due",
    ]
    # longer lines bring back the membership, and the account, which the record shows as put off by its dates
    folder.write("identities/a.yaml", lines.replace("2026-03-20", "2027-06-30") + group.format(until="2027-06-30"))
    assert told(on(date(2027, 1, 2), tmp_path)) == [
        "group.crew update declared add members",
        "user.ann reactivate declared",
    ]


def test_due_changes_count_against_no_limit(tmp_path: Path, running: Provider) -> None:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", running.settings() + "policy:\n  limits: {removals: 0, memberRemovals: 0}\n")
    keys = [f"p{number}" for number in range(6)]
    people = "".join(f"  {key}: {{userName: {key}@x.io, endsOn: 2026-03-20}}\n" for key in keys)
    members = ", ".join(f"{{user: {key}, until: 2026-03-20}}" for key in keys)
    folder.write("identities/a.yaml", f"users:\n{people}groups:\n  crew: {{displayName: Crew, members: [{members}]}}\n")
    on(START, tmp_path)
    assert len(told(on(date(2026, 3, 21), tmp_path))) == 7
