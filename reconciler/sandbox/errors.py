"""What can go wrong in the embedded provider.

    SandboxError            the provider cannot go on: unreadable seed, unknown profile, data file of another version
    └── ScimError           one request is refused; becomes a SCIM error answer (RFC 7644 section 3.12)

Must not know HTTP servers or storage.
"""

from __future__ import annotations

from enum import StrEnum


class ScimType(StrEnum):
    """Detail error keywords of RFC 7644 section 3.12, table 9."""

    INVALID_FILTER = "invalidFilter"
    TOO_MANY = "tooMany"
    UNIQUENESS = "uniqueness"
    MUTABILITY = "mutability"
    INVALID_SYNTAX = "invalidSyntax"
    INVALID_PATH = "invalidPath"
    NO_TARGET = "noTarget"
    INVALID_VALUE = "invalidValue"
    INVALID_VERSION = "invalidVers"


class SandboxError(Exception):
    """The embedded provider cannot go on; the message says why and what to do."""


class ScimError(SandboxError):
    """One request is refused with an HTTP status, a detail for people and perhaps a keyword for programs.

    `gateway`: not the SCIM part refuses but what stands before it, which may have a language of its own.
    """

    def __init__(self, status: int, detail: str, scim_type: ScimType | None = None, *, gateway: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.scim_type = scim_type
        self.gateway = gateway


def invalid_value(detail: str) -> ScimError:
    """Return the refusal of a value that does not fit its attribute."""
    return ScimError(400, detail, ScimType.INVALID_VALUE)


def invalid_syntax(detail: str) -> ScimError:
    """Return the refusal of a body that is not shaped as the schema says."""
    return ScimError(400, detail, ScimType.INVALID_SYNTAX)


def invalid_path(detail: str) -> ScimError:
    """Return the refusal of a path that names nothing."""
    return ScimError(400, detail, ScimType.INVALID_PATH)


def not_mutable(detail: str) -> ScimError:
    """Return the refusal to change what is read-only, immutable or required."""
    return ScimError(400, detail, ScimType.MUTABILITY)


def no_target(detail: str) -> ScimError:
    """Return the refusal of a path that reaches no value."""
    return ScimError(400, detail, ScimType.NO_TARGET)
