"""The options that several commands share, and the project that they open."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.errors import UsageError
from reconciler.model import Diagnostic, Plan, Severity
from reconciler.project import Project, open_project

F = TypeVar("F", bound=Callable[..., Any])


def target_options(function: F) -> F:
    """--target, --settings, --identities."""
    for option in (
        click.option(
            "--identities",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Read the declarations from this folder instead of the settings' folders.",
        ),
        click.option(
            "--settings",
            type=click.Path(path_type=Path),
            metavar="FILE",
            envvar="RECONCILER_SETTINGS",
            show_envvar=True,
            help="The settings file; without it reconciler.yaml is looked for from here upwards.",
        ),
        click.option(
            "--target",
            metavar="NAME",
            envvar="RECONCILER_TARGET",
            show_envvar=True,
            help="A target of the settings; else the default one.",
        ),
    ):
        function = option(function)
    return function


def today_option(function: F) -> F:
    """--today."""
    return click.option(
        "--today",
        metavar="YYYY-MM-DD",
        callback=_day,
        help="Rehearse another day: what dates in the declarations would bring then.",
    )(function)


def rehearsed(plan: Plan, today: date | None) -> Plan:
    """The plan, which says first of all if it is of another day."""
    if today is None:
        return plan
    summary = f"this is what {today.isoformat()} would bring if nothing else changed before"
    said = Diagnostic(severity=Severity.WARNING, code="rehearsal", summary=summary)
    return replace(plan, notices=(said, *plan.notices))


def _day(ctx: click.Context, parameter: click.Parameter, written: str | None) -> date | None:
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"--today {written} is not a day", "write it as 2026-12-31") from None


def opened(settings: Path | None, identities: Path | None) -> Project:
    """The project that the options name, seen from the working directory."""
    return open_project(Path.cwd(), settings, identities)
