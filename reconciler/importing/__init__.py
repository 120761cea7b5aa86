"""Takes live users and groups into declarations, so that the next plan has nothing to do. Only reads from the target.

What is written passes the same checks as what people write, and a plan is made of it: a value that would be refused, or
would change something, is left out and named, and then everything is judged again, until nothing is wrong any more.
"""

from reconciler.importing.outcome import Choice, Imported
from reconciler.importing.running import import_target

__all__ = ["Choice", "Imported", "import_target"]
