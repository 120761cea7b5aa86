"""How two versions of the settings differ: key by key, without a value of either. For notices only.

The settings are `reconciler.yaml` and the profiles of its own that it names (``profiles/acme.yaml``).

One of them may come from somebody whom nobody has reviewed yet, so it is read as carefully as declarations are.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from reconciler.model import Diagnostic, Severity
from reconciler.settings.own_profile import is_plain, read_limited
from reconciler.yamlsource import read_yaml

_SHOWN: Final = 4


def to_come(used: Path, base: Path, profiles: Iterable[str] = ()) -> list[Diagnostic]:
    """What the settings beside these declarations change about those in use; nothing where there are none.

    The nearest from `base` upwards is the one that counts after a merge. `profiles`: the files of profiles in use, by
    their path below the folder of `used`. A profile that only the other settings name is named by those.
    """
    beside = next((each for each in (base, *base.parents) if (each / used.name).exists()), None)
    home = beside or base
    if home.resolve() == used.parent.resolve():
        return []
    found = [_beside("the settings", used.name, used.parent, home)] if beside is not None else []
    found += [_beside(_lines_of(each), each, used.parent, home) for each in profiles]
    return [each for each in found if each is not None]


def since(commit: bytes | None, used: bytes, ref: str, profile: str = "") -> Diagnostic | None:
    """What the settings in use change about those of a commit, called `ref`, which may have none.

    `profile`: the file of a profile that is compared instead.
    """
    found = difference(commit, used) if commit is not None else "are new"
    what = _lines_of(profile) if profile else "the settings"
    return _notice(f"compared with {ref}, {what} {found}; this plan goes by the new ones") if found else None


def _beside(what: str, path: str, used: Path, home: Path) -> Diagnostic | None:
    """What one file, by its path, is in another folder than the one in use."""
    file = home / path
    if not file.exists() and not file.is_symlink():
        return None
    if not is_plain(path, home):
        return _notice(f"{what} that come with the declarations are no plain file: nothing of them counts here")
    found = difference((used / path).read_bytes(), read_limited(file))
    return _notice(f"{what} that come with the declarations {found}, after the merge") if found else None


def _lines_of(profile: str) -> str:
    return f"the lines of {profile}"


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
