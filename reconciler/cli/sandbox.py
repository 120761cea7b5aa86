"""`reconciler sandbox`: the embedded provider as an HTTP server on this machine."""

from contextlib import suppress

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Chosen, target_options
from reconciler.embedding import embedded_service
from reconciler.errors import UsageError
from reconciler.sandbox import SandboxService
from reconciler.sandbox.server import SandboxServer, serve


@click.command("sandbox")
@target_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="NUMBER",
    default=8080,
    show_default=True,
    help="Where to listen; 0 takes a free port.",
)
def command(chosen: Chosen, port: int) -> Exit:
    """Serve the embedded provider over HTTP.

    Serves the data of an embedded target on 127.0.0.1 until it is interrupted. There is no password: whatever runs on
    this machine can read and write it.
    """
    project = chosen.project()
    target = chosen.one(project)
    if not target.embedded:
        raise UsageError(f'target "{target.name}" is not embedded', "name one whose url is sandbox:")
    with embedded_service(project, target) as service, _serving(service, port) as server:
        click.echo(f"SCIM 2.0 service provider of target {target.name} (profile {target.profile}) at {server.url}")
        with suppress(KeyboardInterrupt):
            server.wait()
    return Exit.DONE


def _serving(service: SandboxService, port: int) -> SandboxServer:
    try:
        return serve(service, port)
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        raise UsageError(
            f"port {port} cannot be used ({why})", "name another with --port; 0 takes a free one"
        ) from error
