"""The published JSON Schemas: where they are, and what is wrong with data by them, in sentences of our own."""

from reconciler.schemas.extending import Own, extended
from reconciler.schemas.judging import Finding, Hint, Scope, Where, findings, problems
from reconciler.schemas.published import schema, schema_names

__all__ = ["Finding", "Hint", "Own", "Scope", "Where", "extended", "findings", "problems", "schema", "schema_names"]
