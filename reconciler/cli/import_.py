"""`reconciler import`: declarations for what a target holds already."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, target_options
from reconciler.cli.printing import show_diagnostics
from reconciler.errors import UsageError
from reconciler.importing import Choice, Imported, import_target

if TYPE_CHECKING:
    from reconciler.drafting import File


@click.command("import")
@target_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write; else the target's folder.")
@click.option("--filter", "only", metavar="FILTER", help="Only users that this finds, such as 'title eq \"Agent\"'.")
@click.option("--inactive", is_flag=True, help="Inactive users too.")
def command(chosen: Chosen, out: Path | None, only: str | None, inactive: bool) -> Exit:
    """Write declarations for users and groups that are live and not declared.

    Run it once for an organisation that nobody has declared yet, and again whenever somebody was made there by hand:
    whoever is declared stays as she is, and who is new goes into a new file. Never writes to the target, nor over a
    file. A plan right after has nothing to do about them; what cannot be declared as it is is left out and named.
    """
    project = chosen.project()
    target = chosen.one(project)
    folder = (
        target.identities[0] if out is None else os.path.relpath(Path.cwd() / out, project.base).replace(os.sep, "/")
    )
    found = import_target(project, target.name, folder, Choice(filter=only, at_rest=inactive))
    masking.learn(found.compared)
    notices = (*found.left_out, *found.follows)
    if notices:
        show_diagnostics(notices)
    for path, file in found.files.items():
        _write(project.base / path, file.text)
    for line in _said(found):
        click.echo(line)
    return Exit.PARTLY if found.left_out else Exit.DONE


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "run again; nothing is overwritten") from None


def _said(found: Imported) -> Iterator[str]:
    yield f"{_count(found.users, 'user')} and {_count(found.groups, 'group')} written{_where(found.files)}"
    if len(found.files) > _FEW:
        longest = max(map(len, found.files))
        yield from (f"  {path:{longest}}  {_count(len(file.drafts), file.kind)}" for path, file in found.files.items())
    if found.declared:
        yield f"{found.declared:,} {'is' if found.declared == 1 else 'are'} declared already."
    if found.at_rest:
        yield f"{_count(found.at_rest, 'inactive user')} left out; --inactive takes them too."
    if found.files:
        yield "Read what was written, then run `reconciler plan`: it has nothing to do about them."


_FEW = 2


def _where(files: Mapping[str, "File"]) -> str:
    if len(files) > _FEW:
        return f" to {len(files):,} files:"
    return f" to {' and '.join(files)}." if files else "."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
