"""`acceptances.yaml`: broken safety rules that a reviewed line accepts, each for exactly the items the plan listed."""

from pathlib import Path
from typing import Final

from reconciler import schemas
from reconciler.errors import InputError
from reconciler.yamlsource import read_yaml

NAME: Final = "acceptances.yaml"


def load_acceptances(folder: Path) -> frozenset[str]:
    """The accepted ``RULE@DIGEST`` of a folder, empty without a file. InputError with every problem."""
    path = folder / NAME
    if not path.is_file():
        return frozenset()
    file = read_yaml(path.read_bytes(), NAME)
    problems = list(file.diagnostics)
    accepted: set[str] = set()
    for document in file.documents:
        found = schemas.problems("acceptances", document, file.places)
        problems += found
        if not found:
            accepted |= {f"{each['rule']}@{each['digest']}" for each in document}
    if problems:
        raise InputError(f"{NAME} cannot be used", problems)
    return frozenset(accepted)
