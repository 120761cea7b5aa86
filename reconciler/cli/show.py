"""`reconciler show`: a saved plan, without asking anybody."""

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.output import FORMATS, show_plan
from reconciler.planfile import load


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the plan."
)
@click.option("--verbose", is_flag=True, help="List everybody, also where equal changes are folded.")
def command(file: Path, form: str, verbose: bool) -> Exit:
    """Show a saved plan; needs no network.

    FILE was written by `plan --out`. What it shows was true then; `plan` shows what is true now.
    """
    show_plan(load(file.read_bytes()), form, verbose=verbose)
    return Exit.DONE
