"""What an embedded organisation holds, read past every client."""

from typing import Any

from reconciler.sandbox import SandboxService


def stored(service: SandboxService, name: str) -> dict[str, Any]:
    """The one user or group of that userName or displayName, whatever the case, as the store has it."""
    dump = service.dump()
    (found,) = [
        each
        for kind, key in (("User", "userName"), ("Group", "displayName"))
        for each in dump[kind]
        if str(each.get(key)).lower() == name.lower()
    ]
    return found
