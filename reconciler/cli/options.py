"""The options that several commands share, and the project that they open."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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


def opened(settings: Path | None, identities: Path | None) -> Project:
    """The project that the options name, seen from the working directory."""
    return open_project(Path.cwd(), settings, identities)
