"""Everything that means "cannot go on", sorted by whose fault it is.

::

    ReconcilerError                  what the user reads: summary, and what to do next
    ├── UsageError                   the call is wrong                              exit 64
    ├── InputError                   declarations or settings are wrong             exit 1   (carries diagnostics)
    ├── TargetError                  the service provider cannot be worked with     exit 1
    │   ├── Unreachable              no answer, TLS, time-out
    │   ├── SignInFailed             credential missing, refused or without rights
    │   ├── NotScim                  an answer, but not a SCIM service provider's
    │   └── IncompleteListing        a listing that cannot be believed
    ├── RecordTrouble                the memory of what was applied cannot be used  exit 1
    └── StalePlan                    what was planned or reviewed is not what is now  exit 4  (carries diagnostics)

Mistakes in single declarations and failed single operations are values (`Diagnostic`, `Result`), not exceptions.
"""

from collections.abc import Sequence

from reconciler.model import Diagnostic


class ReconcilerError(Exception):
    """A run cannot go on. ``summary`` is one line, ``mend`` says what to do next; neither ever holds a secret."""

    def __init__(self, summary: str, mend: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.mend = mend


class UsageError(ReconcilerError):
    """The command line asks for something that does not exist or does not fit together."""


class InputError(ReconcilerError):
    """Declarations or settings hold errors; ``diagnostics`` names each of them with its place."""

    def __init__(self, summary: str, diagnostics: Sequence[Diagnostic] = (), mend: str = "") -> None:
        super().__init__(summary, mend)
        self.diagnostics = tuple(diagnostics)


class TargetError(ReconcilerError):
    """The service provider cannot be worked with as it answers now."""


class Unreachable(TargetError):
    """No answer: name resolution, connection, TLS or time-out."""


class SignInFailed(TargetError):
    """The credential is missing, refused, or lacks a right."""


class NotScim(TargetError):
    """Something answered, but not as a SCIM service provider does (RFC 7644 §3)."""


class IncompleteListing(TargetError):
    """A listing did not arrive whole; nothing may be concluded from it (RFC 7644 §3.4.2.4)."""


class RecordTrouble(ReconcilerError):
    """The record of what was applied cannot be read or written, so no write may happen."""


class StalePlan(ReconcilerError):
    """A plan that was saved or reviewed is not what an apply would do now; ``diagnostics`` names what has moved."""

    def __init__(self, summary: str, mend: str = "", diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(summary, mend)
        self.diagnostics = tuple(diagnostics)
