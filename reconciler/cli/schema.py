"""`reconciler schema`: the JSON Schemas that editors and other tools use."""

import json
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.errors import InputError, UsageError
from reconciler.schemas import Own, extended, schema, schema_names
from reconciler.settings.loading import find_settings, load_settings
from reconciler.settings.own_profile import own_attributes
from reconciler.suggestions import suggestion


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> Exit:
    """Print a JSON Schema, or the names of all of them.

    `identities` has the attributes that profiles of the repository's own add, where the settings here name such.
    """
    if name is None:
        click.echo("\n".join(schema_names()))
        return Exit.DONE
    if name not in schema_names():
        raise UsageError(f"there is no schema {name}", suggestion(name, schema_names()))
    found = extended(schema(name), _own_attributes()) if name == "identities" else schema(name)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    return Exit.DONE


def _own_attributes() -> Own:
    """Nothing where there are no settings, or none that can be used: the schema is wanted for mending them, too."""
    try:
        return own_attributes(load_settings(find_settings(Path.cwd(), None)))
    except InputError:
        return Own()
