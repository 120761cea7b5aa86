"""Turns a reference (``env:NAME``, ``file:PATH``) into the secret it points at, at the moment a request is signed.

The secret is returned and kept nowhere; no message of this module holds any part of it.
"""

import os
from pathlib import Path
from typing import NoReturn

from reconciler.errors import SignInFailed
from reconciler.settings import SecretReference

_LARGEST = 65536
"""Bytes. A credential is short; anything larger is the wrong file."""


def resolve_secret(reference: SecretReference, folder: Path) -> str:
    """The secret itself, without one trailing newline.

    `folder` is the settings file's folder, where a relative ``file:`` starts. Raises SignInFailed, naming the
    reference, if the variable is not set, the file cannot be read, or what is there cannot be a secret.
    """
    raw = _from_file(reference, folder) if reference.kind == "file" else _from_environment(reference)
    secret = raw.removesuffix("\n").removesuffix("\r")
    if not secret:
        _fail(reference, "is empty", "put the secret there")
    if any(ord(each) < 0x20 or ord(each) == 0x7F for each in secret):
        _fail(reference, "holds a line break or another control character", "keep the secret alone on one line")
    return secret


def _from_environment(reference: SecretReference) -> str:
    value = os.environ.get(reference.name)
    if value is None:
        _fail(reference, "is not set", f"set the environment variable {reference.name}")
    if any("\ud800" <= each <= "\udfff" for each in value):
        _fail(reference, "is not UTF-8 text", "store the secret as text")
    return value


def _from_file(reference: SecretReference, folder: Path) -> str:
    try:
        with (folder / reference.name).open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "no possible path"
        _fail(
            reference, f"cannot be read ({why or 'no reason given'})", "check the path; it starts at the settings file"
        )
    if len(data) > _LARGEST:
        _fail(reference, f"is larger than {_LARGEST} bytes", "point it at the file that holds the secret alone")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        _fail(reference, "is not UTF-8 text", "store the secret as text")


def _fail(reference: SecretReference, what: str, mend: str) -> NoReturn:
    # `from None`: an error about decoding carries the bytes it stumbled over.
    raise SignInFailed(f"the secret {reference} {what}", mend) from None
