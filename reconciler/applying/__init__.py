"""Operations in, results out: the only part that writes to a service provider. `execute` is the front door.

`not_kept` says afterwards what was answered with success and is not in place.
"""

from reconciler.applying.executing import execute
from reconciler.applying.keeping import not_kept

__all__ = ["execute", "not_kept"]
