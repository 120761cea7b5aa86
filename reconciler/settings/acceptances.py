"""`acceptances.yaml`: broken safety rules that a reviewed line accepts, each for exactly the items the plan listed.

It comes with the declarations, in the same pull request: that is what it is for. It lifts nothing but the very items
that its digest names, so it needs no rights of its own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler import schemas
from reconciler.errors import InputError
from reconciler.model import Diagnostic, Severity, SourceLocation
from reconciler.yamlsource import MAX_BYTES, read_yaml

NAME: Final = "acceptances.yaml"


def load_acceptances(folder: Path) -> Mapping[str, SourceLocation]:
    """The accepted ``RULE@DIGEST`` of a folder -> its place; empty without a file. InputError with every problem."""
    path = folder / NAME
    if not path.is_file():
        return {}
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{NAME} cannot be used", [_outside()])
    with path.open("rb") as stream:
        file = read_yaml(stream.read(MAX_BYTES + 1), NAME)
    problems = list(file.diagnostics)
    accepted: dict[str, SourceLocation] = {}
    for document in file.documents:
        found = schemas.problems("acceptances", document, file.places)
        problems += found
        if not found:
            for index, each in enumerate(document):
                accepted.setdefault(f"{each['rule']}@{each['digest']}", file.places.value(document, index))
    if problems:
        raise InputError(f"{NAME} cannot be used", problems)
    return accepted


def _outside() -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="link-outside",
        summary=f"{NAME} is a link that leads outside of its folder",
        detail="What it points to is not under review in this repository.",
        mend="put the file here",
        source=SourceLocation(NAME, 1),
    )
