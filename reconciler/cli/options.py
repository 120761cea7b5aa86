"""The options that several commands share, and the project that they open."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click
from click.core import ParameterSource
from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli import masking
from reconciler.cli.github import remember_base
from reconciler.errors import UsageError
from reconciler.model import Diagnostic, Plan, Severity
from reconciler.project import Project, open_project
from reconciler.settings import Target

F = TypeVar("F", bound=Callable[..., Any])


class Chosen(Struct, frozen=True, kw_only=True):
    """What the shared options name. `targets`: names as given; `every`: all of the settings."""

    targets: tuple[str, ...] = ()
    every: bool = False
    settings: Path | None = None
    identities: Path | None = None

    @property
    def several(self) -> bool:
        """Whether what is printed is of several targets, however many there turn out to be."""
        return self.every or len(self.targets) > 1

    def project(self) -> Project:
        """The project that the options name, seen from the working directory."""
        project = open_project(Path.cwd(), self.settings, self.identities)
        remember_base(project.base)
        masking.learn_declared(project)
        return project

    def names(self, project: Project) -> list[str]:
        """The targets, each once, or the default one. UsageError for one that is not in the settings."""
        given = project.settings.targets if self.every else self.targets or (project.settings.default_target,)
        return [project.target(name).name for name in dict.fromkeys(given)]

    def one(self, project: Project) -> Target:
        """The only target, for what cannot be done for several."""
        names = self.names(project)
        if self.several:
            raise UsageError(f"this takes one target, not {', '.join(names)}", "name one by --target")
        return project.target(names[0])


_PROJECT: Final = (
    masking.MASK_OPTION,
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
)


def project_options(function: F) -> F:
    """--settings, --identities, --mask: for what names its target otherwise. The function gets them as `chosen`."""

    @wraps(function)
    def with_chosen(*, settings: Path | None, identities: Path | None, mask: str | None, **others: Any) -> Any:
        masking.begin(mask)
        return function(chosen=Chosen(settings=settings, identities=identities), **others)

    command = cast(F, with_chosen)
    for option in _PROJECT:
        command = option(command)
    return command


def target_options(function: F) -> F:
    """--target, --all-targets, --settings, --identities, --mask: the function gets them as `chosen`."""

    @wraps(function)
    def with_chosen(
        *,
        target: tuple[str, ...],
        all_targets: bool,
        settings: Path | None,
        identities: Path | None,
        mask: str | None,
        **others: Any,
    ) -> Any:
        masking.begin(mask)
        if all_targets and click.get_current_context().get_parameter_source("target") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--target and --all-targets: one of them")
        names = () if all_targets else tuple(dict.fromkeys(target))
        chosen = Chosen(targets=names, every=all_targets, settings=settings, identities=identities)
        return function(chosen=chosen, **others)

    command = cast(F, with_chosen)
    for option in (
        *_PROJECT,
        click.option("--all-targets", is_flag=True, help="Every target of the settings."),
        click.option(
            "--target",
            metavar="NAME",
            multiple=True,
            envvar="RECONCILER_TARGET",
            show_envvar=True,
            help="A target of the settings; else the default one. May be given several times.",
        ),
    ):
        command = option(command)
    return command


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
