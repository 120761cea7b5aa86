"""`reconciler explain`: where each wanted value of one user or group comes from."""

import os
import sys
from collections.abc import Iterable
from datetime import date

import click

from reconciler.cli import masking
from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, target_options, today_option
from reconciler.cli.printing import show_text
from reconciler.errors import UsageError
from reconciler.model import Address, DesiredState, ResourceType, SourceLocation, without_case
from reconciler.project import Project
from reconciler.record.blame import Touched, last_touched
from reconciler.rendering.explanation import places, render_explanation
from reconciler.rendering.paper import paper_for
from reconciler.suggestions import suggestion


@click.command("explain")
@click.argument("address")
@target_options
@today_option
def command(address: str, chosen: Chosen, today: date | None) -> Exit:
    """Show where each wanted value of one user or group comes from; needs no network.

    ADDRESS is as plans print it: user.alice.ng, group.support-emea; also a userName, or a bare key of a user.
    """
    project = chosen.project()
    target = chosen.one(project)
    desired, profile = project.desired(target, today)
    resource = desired.resources[_found(address, desired)]
    paper = paper_for(sys.stdout, os.environ)
    explanation = render_explanation(
        resource,
        desired,
        profile.rules(resource.address.resource_type).table,
        target=target.name,
        touched=_Commits(project, places(resource, desired)).of,
        width=paper.width,
        colour=bool(paper.styles),
    )
    show_text("\n".join(map(masking.text, explanation.split("\n"))))
    return Exit.DONE


def _found(written: str, desired: DesiredState) -> Address:
    """The address that somebody means, whatever its case."""
    wanted = without_case(written)
    for address, resource in desired.resources.items():
        known = [str(address), resource.attributes.get("userName")]
        if address.resource_type is ResourceType.USER:
            known.append(address.key)
        if wanted in (without_case(str(each)) for each in known if each is not None):
            return address
    mend = suggestion(written, [str(each) for each in desired.resources]) or "name it as plans do: user.KEY, group.KEY"
    raise UsageError(f"nobody is declared as {written} for this target", mend)


class _Commits:
    """The commit behind each place that a resource draws on; every file is asked for once."""

    def __init__(self, project: Project, sources: Iterable[SourceLocation]) -> None:
        self._found: dict[tuple[str, int], Touched] = {}
        if project.repository is None:
            return
        lines: dict[str, set[int]] = {}
        for source in sources:
            lines.setdefault(source.path, set()).add(source.line)
        for path, numbers in lines.items():
            touched = last_touched(project.repository, project.base / path, numbers)
            self._found |= {(path, line): each for line, each in touched.items()}

    def of(self, source: SourceLocation) -> str:
        """The commit and its day; nothing outside git."""
        found = self._found.get((source.path, source.line))
        return str(found) if found is not None else ""
