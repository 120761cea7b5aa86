"""One target of the settings as a value: where it is, what is declared for it, and how it differs from its profile.

Notes every problem it finds and goes on; a target that cannot be used is None. Asks no network.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.model import ListMode, Policy, SourceLocation
from reconciler.profiles.loading import GROUP_PREFIX
from reconciler.profiles.profile import AttributeRules, Profile, WireRules
from reconciler.settings import Auth, OwnProfile, Target
from reconciler.settings.auth import read_auth, usual_auth
from reconciler.settings.own_profile import read_target_profile
from reconciler.settings.policy import read_policy
from reconciler.settings.section import Section
from reconciler.settings.urls import EMBEDDED, BadUrl, read_base_url, region_url
from reconciler.settings.zones import is_zone, zone_mend
from reconciler.suggestions import nearest, suggestion
from reconciler.yamlsource import number

_IDENTIFYING: Final = ("userName", "displayName")
"""What users and groups are matched by."""


def read_target(
    section: Section, source: SourceLocation, policy: Policy, folder: Path, environment: Mapping[str, str]
) -> Target | None:
    """The target; `source` is where its name stands, `policy` the one for all targets, `folder` the settings file's.

    `environment`: variables that a profile may name for what the settings leave out.
    """
    profile, file = read_target_profile(section, folder)
    wire = profile.wire if profile is not None else WireRules()
    url = _url(section, source, profile, environment)
    sandbox = section.section("sandbox")
    _check_sandbox(section, url)
    page_size, at_once = section.data.get("pageSize"), section.data.get("writesAtOnce")
    identities = _folders(section, folder)
    target = Target(
        name=section.words.rpartition(".")[2],
        profile=profile.name if profile is not None else "",
        own_profile=OwnProfile(path=file, profile=profile) if profile is not None and file is not None else None,
        url=url or "",
        time_zone=_time_zone(section),
        auth=_auth(section, wire, url if profile is not None else None, environment),
        policy=read_policy(section.section("policy"), policy),
        modes=_modes(section, profile),
        not_stored=_not_stored(section, profile),
        page_size=int(page_size) if isinstance(page_size, int | float) else None,
        writes_at_once=int(at_once) if isinstance(at_once, int | float) else 1,
        sandbox_seed=sandbox.text("seed") if sandbox is not None else None,
        sandbox_switches=_switches(sandbox),
        source=source,
        **({"identities": identities} if identities else {}),
    )
    return target if profile is not None and url is not None else None


def _auth(section: Section, wire: WireRules, url: str | None, environment: Mapping[str, str]) -> Auth | None:
    auth = section.section("auth")
    if auth is not None:
        return read_auth(auth, wire, url)
    return usual_auth(wire, url, environment) if "auth" not in section and url not in (None, EMBEDDED) else None


def _url(
    section: Section, source: SourceLocation, profile: Profile | None, environment: Mapping[str, str]
) -> str | None:
    if "url" in section and "region" in section:
        words = f"{section.words} has both url and region"
        section.error("url-and-region", section.key_place("region"), words, "keep one of them")
        return None
    if "region" in section:
        return _region(section, profile) if profile is not None else None
    if "url" not in section:
        return None if section.incomplete else _url_around(section, source, profile, environment)
    written = section.text("url")
    read = read_base_url(written) if written is not None else None
    if isinstance(read, BadUrl):
        section.error(read.code, section.place("url"), f"{section.name_of('url')} {read.reason}", read.mend)
        return None
    return read


def _url_around(
    section: Section, source: SourceLocation, profile: Profile | None, environment: Mapping[str, str]
) -> str | None:
    """The URL of the region that the environment names, where the settings say nothing about where the target is."""
    variable = profile.wire.environment.get("region") if profile is not None else None
    region = environment.get(variable) if variable is not None else None
    url = region_url(profile.wire, region) if profile is not None and region else None
    if url is not None:
        return url
    if region and profile is not None:
        words = f'{section.words}: {variable} names no region that profile {profile.name} knows ("{region}")'
        section.error("unknown-region", source, words, _known_regions(profile, region))
        return None
    ways = ["url: https://…", *(["region: NAME"] if profile and profile.wire.regions else [])]
    mend = "write " + ", or ".join(ways) + (f", or set {variable}" if variable else "")
    section.error("missing-key", source, f"{section.words} does not say where it is", mend)
    return None


def _known_regions(profile: Profile, region: str) -> str:
    """What may be meant, and every region: by its domain, if somebody wrote one."""
    regions = profile.wire.regions
    known = sorted(regions.values() if "." in region else regions)
    meant = nearest(region, known)
    return (f"did you mean {meant}? " if meant else "") + f"known: {', '.join(known)}"


def _region(section: Section, profile: Profile) -> str | None:
    region = section.text("region")
    if not profile.wire.regions:
        words = f"{section.name_of('region')}: profile {profile.name} knows no regions"
        section.error("no-regions", section.key_place("region"), words, "write url: https://…")
        return None
    url = region_url(profile.wire, region) if region is not None else None
    if url is None and region is not None:
        words = f'{section.name_of("region")}: profile {profile.name} knows no region "{region}"'
        section.error("unknown-region", section.place("region"), words, _known_regions(profile, region))
    return url


def _switches(sandbox: Section | None) -> dict[str, object]:
    """As written, numbers as numbers; which there are is the embedded provider's business."""
    section = sandbox.section("switches") if sandbox is not None else None
    data = section.data if section is not None else {}
    numbers = {key: number(value) if isinstance(value, str) else None for key, value in data.items()}
    return {key: value if numbers[key] is None else numbers[key] for key, value in data.items()}


def _check_sandbox(section: Section, url: str | None) -> None:
    if "sandbox" in section and url is not None and url != EMBEDDED:
        words = f"{section.name_of('sandbox')} is for the embedded provider"
        section.error("not-embedded", section.key_place("sandbox"), words, f'take it out, or write url: "{EMBEDDED}"')


def _folders(section: Section, folder: Path) -> tuple[str, ...]:
    """The folders, without `./` and a slash at the end; each inside the settings' folder and none inside another."""
    found: list[str] = []
    for written, source in section.texts("identities"):
        name = str(PurePosixPath(written))
        problem = _folder_problem(name, folder)
        twice = next((each for each in found if _is_inside(name, each) or _is_inside(each, name)), None)
        if problem is not None:
            words = f"{section.name_of('identities')}: {written} {problem}"
            section.error("bad-folder", source, words, "name a folder below the settings file's own")
        elif twice is not None:
            words = f"{section.name_of('identities')}: {written} would be read twice, beside {twice}"
            section.error("repeated-folder", source, words, "keep one of them")
        else:
            found.append(name)
    return tuple(found)


def _folder_problem(name: str, folder: Path) -> str | None:
    if "\\" in name or "\0" in name:
        return "is not written with /"
    if name == ".":
        return "is the settings file's own folder"
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        return "leaves the settings file's folder"
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        return "is a link that leaves the settings file's folder"
    return None


def _is_inside(name: str, other: str) -> bool:
    return PurePosixPath(name).is_relative_to(PurePosixPath(other))


def _time_zone(section: Section) -> str:
    name = section.text("timeZone")
    if name is None or name == "UTC":
        return "UTC"
    if not is_zone(name):
        words = f'{section.name_of("timeZone")}: there is no time zone "{name}"'
        section.error("unknown-time-zone", section.place("timeZone"), words, zone_mend(name))
    return name


def _modes(section: Section, profile: Profile | None) -> dict[str, ListMode]:
    lists = section.section("lists")
    if lists is None or profile is None:
        return {}
    known = [
        each.name
        for each in profile.users.table.attributes
        if each.is_list and each.name not in profile.users.unsupported
    ]
    found = {}
    for key, mode in lists.data.items():
        attribute = profile.users.table.get(key)
        if key == "members":
            words, mend = f"{lists.words} is for lists of users", "write membership: additive on the group"
        elif attribute is None or attribute.name not in known:
            words, mend = f"{lists.words}: profile {profile.name} has no list {key}", suggestion(key, known)
        else:
            if mode in tuple(ListMode):
                found[attribute.name] = ListMode(mode)
            continue
        lists.error("unknown-list", lists.key_place(key), words, mend)
    return found


def _not_stored(section: Section, profile: Profile | None) -> tuple[str, ...]:
    if profile is None:
        return ()
    found = []
    for written, source in section.texts("notStored"):
        of_groups = written.startswith(GROUP_PREFIX)
        rules = profile.groups if of_groups else profile.users
        path = _path(rules, written.removeprefix(GROUP_PREFIX))
        words = f"{section.name_of('notStored')}: {written}"
        if path is None:
            names = [f"{GROUP_PREFIX if of_groups else ''}{each.name}" for each in rules.table.attributes]
            section.error("unknown-attribute", source, f"{words} is no attribute", suggestion(written, names))
        elif path == _IDENTIFYING[of_groups]:
            section.error(
                "identifying", source, f"{words} is what they are found by, so it must be stored", "take it out"
            )
        else:
            found.append(f"{GROUP_PREFIX}{path}" if of_groups else path)
    return tuple(found)


def _path(rules: AttributeRules, written: str) -> str | None:
    """The name or path in the table's own spelling; None if nothing in the table is called that."""
    by_path = rules.table.by_path(written)
    if by_path is not None and by_path.path != by_path.name:
        return written
    head = written.partition("[")[0].partition(".")[0]
    attribute, rest = rules.table.get(head), written[len(head) :]
    if attribute is None or (rest.startswith(".") and rest[1:] not in (attribute.key, *attribute.parts)):
        return None
    return attribute.name + rest
