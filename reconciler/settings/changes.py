"""How two versions of `reconciler.yaml` differ: key by key, without a value of either. For notices only.

One of them may come from somebody whom nobody has reviewed yet, so it is read as carefully as declarations are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reconciler.model import Diagnostic, Severity
from reconciler.yamlsource import MAX_BYTES, read_yaml

_SHOWN: Final = 4


def to_come(used: Path, base: Path) -> Diagnostic | None:
    """What a settings file beside these declarations changes about the settings in use; None if nothing, or no file.

    The nearest from `base` upwards is the one that counts after a merge.
    """
    beside = next((each / used.name for each in (base, *base.parents) if (each / used.name).exists()), None)
    if beside is None or beside.resolve() == used.resolve():
        return None
    if not beside.is_file() or beside.is_symlink():
        return _notice("the settings that come with the declarations are no plain file: nothing of them counts here")
    with beside.open("rb") as stream:
        found = difference(used.read_bytes(), stream.read(MAX_BYTES + 1))
    return _notice(f"the settings that come with the declarations {found}, after the merge") if found else None


def since(commit: bytes | None, used: bytes, ref: str) -> Diagnostic | None:
    """What the settings in use change about those of a commit, called `ref`, which may have none."""
    found = difference(commit, used) if commit is not None else "are new"
    return _notice(f"compared with {ref}, the settings {found}; this plan goes by the new ones") if found else None


def difference(before: bytes, after: bytes) -> str | None:
    """How the second differs from the first, as the end of a sentence; None if it means the same."""
    old, new = (_read(each) for each in (before, after))
    if old is None or new is None:
        return None if before == after else "cannot all be read"
    keys = list(dict.fromkeys(_keys(old, new, "")))
    if not keys:
        return None
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f"change {', '.join(keys[:_SHOWN])}{more}"


def _read(data: bytes) -> Any:
    file = read_yaml(data, "settings")
    return file.documents[0] if len(file.documents) == 1 and not file.diagnostics else None


def _keys(old: Any, new: Any, above: str) -> Iterator[str]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield above.removesuffix(".") or "everything"
        return
    for key in (*old, *(each for each in new if each not in old)):
        if (key in old) != (key in new):
            yield f"{above}{key}"
        else:
            yield from _keys(old[key], new[key], f"{above}{key}.")


def _notice(summary: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.NOTICE,
        code="settings-change",
        summary=summary,
        mend="review them by themselves: they say what may be done, and to whom",
    )
