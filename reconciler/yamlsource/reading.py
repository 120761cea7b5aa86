"""A file's bytes -> `YamlFile`. The limits of size and encoding stand here; no error of the parser gets out."""

from typing import Any, Final

from msgspec import Struct

from reconciler.model import Diagnostic, Severity, SourceLocation
from reconciler.yamlsource.places import Places
from reconciler.yamlsource.problems import Trouble, not_utf8
from reconciler.yamlsource.reader import Reader

MAX_BYTES: Final = 10_000_000


class YamlFile(Struct, frozen=True, kw_only=True):
    """One file as read. A document that cannot be read is left out and named in `diagnostics`.

    Data: dict, list, str, `Quoted`, True, False, None. `empty`: there is no document with anything in it. `broken`:
    part of the file was not read. `partial`: what stands before the error in the document that has it; what is open
    there has holes.
    """

    path: str
    documents: tuple[Any, ...]
    places: Places
    diagnostics: tuple[Diagnostic, ...]
    broken: bool = False
    partial: Any = None

    @property
    def empty(self) -> bool:
        """Whether the file says nothing, without being wrong."""
        return not self.documents and not self.diagnostics


def read_yaml(data: bytes, path: str) -> YamlFile:
    """Every document of a file. Never raises for bad input: what is wrong is in `diagnostics`."""
    places = Places(path)
    if len(data) > MAX_BYTES:
        trouble = Trouble(
            "file-too-large",
            f"the file has {len(data):,} bytes; {MAX_BYTES:,} is the most",
            mend="split it into several files",
        )
        return YamlFile(path=path, documents=(), places=places, diagnostics=(_diagnostic(trouble, path),), broken=True)
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        found = (_diagnostic(not_utf8(body, error), path),)
        return YamlFile(path=path, documents=(), places=places, diagnostics=found, broken=True)
    reader = Reader(text, places)
    troubles = reader.read()
    return YamlFile(
        path=path,
        documents=tuple(reader.documents),
        places=places,
        diagnostics=tuple(_diagnostic(each, path) for each in troubles),
        broken=reader.broken,
        partial=reader.partial,
    )


def _diagnostic(trouble: Trouble, path: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=trouble.code,
        summary=trouble.summary,
        detail=trouble.why,
        mend=trouble.mend,
        source=SourceLocation(path, trouble.line, trouble.column),
    )
