"""YAML -> Declarations -> DesiredState, with every problem's file, line and column.

`load_declarations` reads, `check_declarations` compares everything with everything and with each target's profile,
`resolve` works out what one target should hold on one day; `check_and_resolve` does both at once.
"""

from reconciler.declarations.checks import check_and_resolve, check_declarations
from reconciler.declarations.declared import Declarations
from reconciler.declarations.loading import declarations_in, load_declarations
from reconciler.declarations.resolution import resolve

__all__ = ["Declarations", "check_and_resolve", "check_declarations", "declarations_in", "load_declarations", "resolve"]
