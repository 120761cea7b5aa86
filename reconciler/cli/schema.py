"""`reconciler schema`: the JSON Schemas that editors and other tools use."""

import json

import click

from reconciler.cli.exits import Exit
from reconciler.errors import UsageError
from reconciler.schemas import schema, schema_names
from reconciler.suggestions import suggestion


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> Exit:
    """Print a JSON Schema, or the names of all of them."""
    if name is None:
        click.echo("\n".join(schema_names()))
        return Exit.DONE
    if name not in schema_names():
        raise UsageError(f"there is no schema {name}", suggestion(name, schema_names()))
    click.echo(json.dumps(schema(name), indent=2, ensure_ascii=False))
    return Exit.DONE
