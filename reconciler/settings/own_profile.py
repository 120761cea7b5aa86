"""The profile of a target where the settings name a file for it: ``profile: profiles/acme.yaml``.

Such a file is part of the settings: it stands beside them, in one folder that whoever reviews settings can own, and
never among the declarations. It says where requests go and what counts as equal, so it is read from the checkout that
the settings are read from, and through no link. Reads files, no network.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.errors import InputError
from reconciler.model import ResourceType
from reconciler.profiles.loading import known_kinds, load_profile, profile_names, read_profile
from reconciler.profiles.profile import Profile
from reconciler.schemas import Own
from reconciler.scim.attributes import Attribute, AttributeTable, Kind
from reconciler.settings import Settings
from reconciler.settings.section import Section
from reconciler.suggestions import nearest
from reconciler.yamlsource import MAX_BYTES, read_yaml

FOLDER: Final = "profiles"
"""Where such files stand, beside the settings file."""
_ENDINGS: Final = (".yaml", ".yml")
_EXAMPLE: Final = f"{FOLDER}/acme.yaml"


def read_target_profile(section: Section, folder: Path) -> tuple[Profile | None, str | None]:
    """The profile of a target, and its file below `folder` (the settings' own) if it is none of the shipped ones.

    What is wrong is noted in `section`; then the profile is None.
    """
    written = section.text("profile")
    if written is None:
        return None, None
    if written in profile_names():
        return load_profile(written), None
    if not written.endswith(_ENDINGS):
        return None, None  # the schema has said so
    path = str(PurePosixPath(written))
    wrong = _wrong_path(path) or _wrong_file(path, folder)
    if wrong is not None:
        reason, mend = wrong
        summary = f"{section.name_of('profile')}: {written} {reason}"
        section.error("bad-profile-file", section.place("profile"), summary, mend)
        return None, path
    return _read(section, path, folder), path


def own_attributes(settings: Settings) -> Own:
    """The attributes that the profiles of a repository add to those that every repository may declare."""
    profiles = [each.own_profile.profile for each in settings.targets.values() if each.own_profile is not None]
    return Own(
        users=_unknown(ResourceType.USER, [each.users.table for each in profiles]),
        groups=_unknown(ResourceType.GROUP, [each.groups.table for each in profiles]),
    )


def guessed_attributes(folder: Path) -> Own:
    """The same where the settings cannot be used: all that the files name, of any shape, as a file may be wrong."""
    found: dict[str, dict[str, Attribute]] = {"users": {}, "groups": {}}
    for file in _files(folder / FOLDER):
        if is_plain(f"{FOLDER}/{file.name}", folder):
            for section, name in _names_in(file):
                found[section].setdefault(name, Attribute(name=name, kind=Kind.JSON))
    return Own(users=tuple(found["users"].values()), groups=tuple(found["groups"].values()))


def read_limited(file: Path) -> bytes:
    """As much of a file as is ever read of one; a byte more where it is too large. Raises OSError."""
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def is_plain(path: str, folder: Path) -> bool:
    """Whether a path below a folder leads to a file, and through no link."""
    file = folder / path
    steps = [file, *(each for each in file.parents if each != folder and each.is_relative_to(folder))]
    return not any(each.is_symlink() for each in steps) and file.is_file()


def _unknown(resource_type: ResourceType, tables: Sequence[AttributeTable]) -> tuple[Attribute, ...]:
    """Those attributes of some tables that no shipped profile has; of two with one name the first."""
    if not tables:
        return ()
    known = known_kinds()[resource_type]
    new = {each.name: each for table in reversed(tables) for each in table.attributes if each.name not in known}
    return tuple(new.values())


def _names_in(file: Path) -> Iterator[tuple[str, str]]:
    """``users`` or ``groups``, and the name of an attribute that a file adds there."""
    try:
        documents = read_yaml(read_limited(file), file.name).documents
    except OSError:
        return
    for data in documents:
        for section in ("users", "groups") if isinstance(data, dict) else ():
            rules = data.get(section)
            rows = rules.get("attributes") if isinstance(rules, dict) else None
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict) and isinstance(row.get("name"), str):
                    yield section, str(row["name"])


def _wrong_path(path: str) -> tuple[str, str] | None:
    """Why a path cannot name a profile, and the mend."""
    parts = PurePosixPath(path).parts
    if "\\" in path or len(parts) != 2 or parts[0] != FOLDER:
        return f"does not lie in {FOLDER}/, beside the settings file", f"put it there and write {FOLDER}/{_name(path)}"
    if _stem(path) in profile_names():
        return "has the name of a profile that comes with reconciler", f"give it another name, such as {_EXAMPLE}"
    return None


def _wrong_file(path: str, folder: Path) -> tuple[str, str] | None:
    file = folder / path
    if not file.is_symlink() and not file.exists():
        there = [f"{FOLDER}/{each.name}" for each in _files(folder / FOLDER)]
        meant = nearest(path, there)
        return (
            "is not there",
            f"did you mean {meant}?" if meant else "write that file: docs/profiles.md has an example",
        )
    if not is_plain(path, folder):
        return "is a link, or no file", "put the file itself there: what a link leads to is not under review"
    return None


def _read(section: Section, path: str, folder: Path) -> Profile | None:
    try:
        data = read_limited(folder / path)
    except OSError as error:
        why = (error.strerror or "no reason given").lower()
        words = f"{section.name_of('profile')}: {path} cannot be read ({why})"
        section.error("bad-profile-file", section.place("profile"), words, "check its permissions")
        return None
    try:
        return read_profile(data, path, _stem(path), known_kinds())
    except InputError as error:
        section.problems.extend(each for each in error.diagnostics if each not in section.problems)
        return None


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix in _ENDINGS) if folder.is_dir() else []


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name
