"""Collects what is wrong while declarations are compiled: each problem once, whichever target shows it."""

from collections.abc import Iterable
from typing import Final

from reconciler.model import Address, Diagnostic, Severity, SourceLocation


class Reporter:
    """A bag of diagnostics, told apart by code, place and summary."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, SourceLocation, str], Diagnostic] = {}
        self.errors = 0

    def error(
        self,
        code: str,
        source: SourceLocation,
        summary: str,
        *,
        why: str = "",
        mend: str = "",
        of: Address | None = None,
    ) -> None:
        """Something that stops the run. `errors` counts it again each time it is found."""
        self.errors += 1
        self._add(Severity.ERROR, code, source, summary, why, mend, of)

    def warning(
        self,
        code: str,
        source: SourceLocation,
        summary: str,
        *,
        why: str = "",
        mend: str = "",
        of: Address | None = None,
    ) -> None:
        """Something that is probably a mistake, and does no harm as it is."""
        self._add(Severity.WARNING, code, source, summary, why, mend, of)

    def add(self, diagnostic: Diagnostic) -> None:
        """Something that was found elsewhere; it has a place."""
        if diagnostic.source is not None:
            self._found.setdefault((diagnostic.code, diagnostic.source, diagnostic.summary), diagnostic)

    @property
    def diagnostics(self) -> Iterable[Diagnostic]:
        """Everything so far, in order of finding."""
        return self._found.values()

    def _add(
        self,
        severity: Severity,
        code: str,
        source: SourceLocation,
        summary: str,
        why: str,
        mend: str,
        of: Address | None,
    ) -> None:
        self.add(
            Diagnostic(severity=severity, code=code, summary=summary, detail=why, mend=mend, address=of, source=source)
        )


_SHOWN: Final = 60


def quoted(text: object) -> str:
    """A value for a message, in quotes and cut where it is long."""
    words = str(text)
    return f'"{words}"' if len(words) <= _SHOWN else f'"{words[: _SHOWN - 1]}…"'
