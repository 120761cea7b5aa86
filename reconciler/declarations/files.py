"""Which files hold declarations: every ``*.yaml`` below the folders, in order of path. Reads bytes, not meaning.

Names that begin with a dot are passed over, as are links that stay inside (what they point to is read where it stands).
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.declarations.declared import normal_folder
from reconciler.model import Diagnostic, Severity, SourceLocation
from reconciler.suggestions import suggestion
from reconciler.yamlsource import MAX_BYTES, YamlFile, read_yaml


class Reading(Struct, frozen=True, kw_only=True):
    """The files below some folders, and what was wrong on the way."""

    files: tuple[YamlFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_folders(base: Path, folders: Sequence[str]) -> Reading:
    """Every declaration file below `base`/folder. Paths in places are relative to `base`, with ``/``."""
    troubles: list[Diagnostic] = []
    paths: dict[str, Path] = {}
    for folder in dict.fromkeys(normal_folder(each) for each in folders):
        before = len(troubles)
        found = dict(_walk(base, folder, troubles))
        if not found and len(troubles) == before:
            mend = "put a file with users or groups there, or take the folder out of the settings"
            troubles.append(_error("empty-folder", folder, f"{folder} holds no YAML file", mend=mend))
        paths.update(found)
    files = tuple(_read(paths[name], name) for name in sorted(paths))
    return Reading(files=files, diagnostics=tuple(dict.fromkeys(troubles)))


def _walk(base: Path, folder: str, troubles: list[Diagnostic]) -> Iterator[tuple[str, Path]]:
    root = base / folder
    if not root.is_dir():
        near = suggestion(folder, _folders(base))
        mend = near if near.startswith("did") else "make it, or mend the path in the settings"
        troubles.append(_error("no-such-folder", folder, f"there is no folder {folder}", mend=mend))
        return
    if not _is_inside(root, base):
        troubles.append(_outside(folder))
        return
    for place, below, names in os.walk(root, onerror=lambda error: troubles.append(_unreadable(base, error))):
        below[:] = sorted(each for each in below if not each.startswith("."))
        for name in [*names, *below]:
            path = Path(place, name)
            if name.startswith(".") or not _is_wanted(path, root, base, troubles):
                continue
            yield _relative(path, base), path


def _folders(base: Path) -> list[str]:
    try:
        return [each.name for each in base.iterdir() if each.is_dir() and not each.name.startswith(".")]
    except OSError:
        return []


def _is_wanted(path: Path, root: Path, base: Path, troubles: list[Diagnostic]) -> bool:
    """Whether this is a declaration file; what looks like one and cannot be is noted."""
    suffix, name = path.suffix.lower(), _relative(path, base)
    if path.is_symlink():
        if not _is_inside(path, root):
            troubles.append(_outside(name))
        return False
    if suffix not in (".yaml", ".yml") or path.is_dir():
        return False
    if not stat.S_ISREG(path.lstat().st_mode):
        troubles.append(_error("not-a-file", name, f"{name} is no file", mend="remove it"))
        return False
    if path.suffix != ".yaml":
        mend = f"rename it to {path.stem}.yaml"
        why = "Files that some tools read and others pass over hide people."
        troubles.append(_error("wrong-suffix", name, f"{name} must end in .yaml", why, mend))
        return False
    return True


def _read(path: Path, name: str) -> YamlFile:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        trouble = _error("unreadable-file", name, f"{name} cannot be read ({why})", mend="check its permissions")
        empty = read_yaml(b"", name)
        return YamlFile(path=name, documents=(), places=empty.places, diagnostics=(trouble,), broken=True)
    return read_yaml(data, name)


def _is_inside(path: Path, root: Path) -> bool:
    """Whether a path, with all links followed, exists below `root`."""
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


def _relative(path: Path, base: Path) -> str:
    text = os.path.relpath(path, base).replace(os.sep, "/")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _outside(name: str) -> Diagnostic:
    why = "What it points to is not under review in this repository."
    return _error("link-outside", name, f"{name} is a link that leads outside of its folder", why, "put the file here")


def _unreadable(base: Path, error: OSError) -> Diagnostic:
    name = _relative(Path(str(error.filename or base)), base)
    why = (error.strerror or "no reason given").lower()
    return _error("unreadable-folder", name, f"{name} cannot be read ({why})", mend="check its permissions")


def _error(code: str, path: str, summary: str, why: str = "", mend: str = "") -> Diagnostic:
    source = SourceLocation(path, 1)
    return Diagnostic(severity=Severity.ERROR, code=code, summary=summary, detail=why, mend=mend, source=source)
