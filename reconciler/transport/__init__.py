"""The way to a service provider and back: HTTP, signing in, patience, paging. Knows nothing of plans.

`client` has the two clients, one that can only read and one that can also write. httpx lives in this package only. It
is loaded here once, without what it would bring for a command line of its own and for asynchronous programs: where
rich and trio are installed those take longer to import than httpx itself.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

_UNUSED: Final = ("httpx._main", "trio", "anyio")
"""httpx and httpcore go on without each of these when it cannot be imported."""


@contextmanager
def _as_if_missing(*names: str) -> Iterator[None]:
    modules = cast(dict[str, ModuleType | None], sys.modules)
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


with _as_if_missing(*_UNUSED):
    for _name in ("httpx", "httpcore"):
        importlib.import_module(_name)
