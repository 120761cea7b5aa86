"""`reconciler init`: the files of a new repository. Never writes over a file, and asks no server.

What is written lies under `starter/`: `common/` for everybody, and a folder for each kind of CI.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.errors import UsageError
from reconciler.profiles.loading import profile_names
from reconciler.schemas import schema
from reconciler.suggestions import suggestion

FORGES: Final = ("github", "gitlab")
SCHEMAS: Final = ("settings", "identities", "acceptances", "profile")
IGNORED: Final = (".reconciler/",)
_TOOL: Final = re.compile(r"(?P<tool>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)+)@(?P<ref>[0-9a-f]{40})", re.ASCII)


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--profile", default="rfc", metavar="NAME", show_default=True, help="What kind of provider it is.")
@click.option("--ci", "forge", type=click.Choice(FORGES), help="Write its workflows as well; needs --tool.")
@click.option(
    "--tool", metavar="OWNER/NAME@COMMIT", help="The repository of reconciler that the workflows use, at one commit."
)
def command(folder: Path, profile: str, forge: str | None, tool: str | None) -> Exit:
    """Write the files of a new repository: settings, a first declaration, schemas, workflows.

    FOLDER is the working directory if it is not given. A file that is there is left as it is.
    """
    if profile not in profile_names():
        raise UsageError(f"there is no profile {profile}", suggestion(profile, profile_names()))
    filled = {"@PROFILE@": profile, **_pinned(forge, tool)}
    for name, text in _texts(forge, filled):
        click.echo(f"  {_written(folder / name, text)}  {name}")
    click.echo(f"  {_ignoring(folder / '.gitignore')}  .gitignore")
    needs = "; docs/ci.md of reconciler says what the workflows need" if forge else ""
    click.echo(f"Next: reconciler validate, then plan, then apply{needs}.")
    return Exit.DONE


def _pinned(forge: str | None, tool: str | None) -> dict[str, str]:
    if forge is None:
        if tool is not None:
            raise UsageError("--tool is for the workflows", "add --ci github or --ci gitlab")
        return {}
    found = _TOOL.fullmatch(tool or "")
    if found is None:
        raise UsageError(
            f"--ci {forge} needs --tool OWNER/NAME@COMMIT, the commit in 40 digits",
            "the workflows hold credentials, so they run one commit that you chose and no name that can move",
        )
    return {"@TOOL@": found["tool"], "@REF@": found["ref"]}


def _texts(forge: str | None, filled: dict[str, str]) -> Iterator[tuple[str, str]]:
    starter = files("reconciler.cli") / "starter"
    for folder in ("common", *((forge,) if forge else ())):
        for name, text in _below(starter / folder, ""):
            for mark, value in filled.items():
                text = text.replace(mark, value)
            yield name, text
    for name in SCHEMAS:
        yield f"schemas/{name}.schema.json", json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for each in sorted(folder.iterdir(), key=lambda found: found.name):
        if each.is_dir():
            yield from _below(each, f"{prefix}{each.name}/")
        else:
            yield f"{prefix}{each.name}", each.read_text(encoding="utf-8")


def _written(path: Path, text: str) -> str:
    """One word on what was done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return "kept   "
    return "written"


def _ignoring(path: Path) -> str:
    """The embedded provider's data is nobody's source: lines that are missing are added."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in text.splitlines()]
    if not missing:
        return "kept   "
    if text and not text.endswith("\n"):
        missing.insert(0, "")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join([*missing, ""]))
    return "extended" if text else "written"
