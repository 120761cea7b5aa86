r"""The plan file: a plan as canonical JSON and back, and the digest of what it intends.

The file is one JSON object. Its members are the fields of `Plan` under their own names, all of them, always, and
``digest``; schemas/plan.schema.json describes each. Beside them may stand what others add for their own use (`BESIDE`).
Canonical means: members sorted, no white space, a whole number without a fraction; equal plans give equal bytes. All of
it is ASCII, and ``##`` is spelled ``\u0023#``: printed on a terminal or into the log of a CI system, no name in it can
do anything.

An address is text (``user.alice.ng``), an operation says its ``kind``. Where an attribute's value is a reference it is
``{"$address": "user.bob.li"}`` or ``{"$live": {"name": …, "resource_type": …}}``, and an object with a member that
begins with ``$`` is wrapped in ``{"$literal": …}``, so that no value can pass for something else.

Reading is strict: whatever is missing, unknown, of the wrong type or at odds with the digest is an InputError that
names the place. Pure: bytes in, values out; no files.
"""

from reconciler.planfile.digests import digest, violation_digest
from reconciler.planfile.document import (
    BESIDE,
    CHECKSUM,
    checksum,
    diagnostic_document,
    document_of,
    dump,
    load,
    plan_in,
    read,
    unusable,
    written,
)
from reconciler.planfile.shape import VIOLATION

__all__ = [
    "BESIDE",
    "CHECKSUM",
    "VIOLATION",
    "checksum",
    "diagnostic_document",
    "digest",
    "document_of",
    "dump",
    "load",
    "plan_in",
    "read",
    "unusable",
    "violation_digest",
    "written",
]
