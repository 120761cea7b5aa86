"""Places in files, and what a person should know about them."""

from enum import StrEnum

from msgspec import Struct

from reconciler.model.addresses import Address


class SourceLocation(Struct, frozen=True, order=True):
    """A place in a file; ``line`` and ``column`` count from 1, ``path`` is relative to the settings file's folder."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops, a warning and a notice do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Diagnostic(Struct, frozen=True, kw_only=True):
    """Something a person should know: what (`summary`), why (`detail`), how to mend it (`mend`). `code` is stable."""

    severity: Severity
    code: str
    summary: str
    detail: str = ""
    mend: str = ""
    address: Address | None = None
    source: SourceLocation | None = None


class Origin(Struct, frozen=True):
    """Where a wanted value was written. ``via`` names the layer if it is not the resource's own: ``template agent``."""

    source: SourceLocation | None
    via: str = ""
