"""The published JSON Schemas: where they are, and what is wrong with data by them, in sentences of our own."""

from reconciler.schemas.judging import Finding, Hint, Scope, Where, findings, problems
from reconciler.schemas.published import schema, schema_names

__all__ = ["Finding", "Hint", "Scope", "Where", "findings", "problems", "schema", "schema_names"]
