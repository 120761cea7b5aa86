"""Imports go downward only, the core is pure, and every third-party package has one home."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import reconciler

ROOT = Path(reconciler.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# From the ground up. A module may import what stands in a row below its own, and its own package.
LAYERS = (
    ("beside", "lazy"),
    ("memory", "model", "suggestions"),
    ("errors", "scim"),
    ("codecs", "yamlsource"),
    ("planfile", "schemas"),
    ("accepting", "profiles"),
    ("settings",),
    ("situation",),
    ("access", "diffing", "doubting", "guarding", "settling"),
    ("matching", "planning", "privileges", "remembering"),
    ("policy",),
    ("reconcile",),
    ("declarations", "drafting", "record", "transport", "rendering", "sandbox"),
    ("decoding", "describing"),
    ("refreshing", "audit"),
    ("absences", "applying"),
    ("leasing", "project"),
    ("committed",),
    ("checkout", "recording", "proving"),
    ("embedding", "holding", "sharing"),
    ("connecting",),
    ("checkup", "importing", "running", "saved"),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

CORE = {
    "accepting",
    "access",
    "lazy",
    "model",
    "scim",
    "situation",
    "doubting",
    "guarding",
    "matching",
    "settling",
    "diffing",
    "planning",
    "policy",
    "privileges",
    "remembering",
    "reconcile",
}
IMPURE = {
    "asyncio", "http", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket", "sqlite3",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip

HOMES = {
    "click": {"cli"},
    "deepdiff": {"rendering"},
    "httpx": {"transport", "sandbox.transport"},
    "jsonschema": {"schemas"},
    "jsonschema_rs": {"schemas"},
    "orjson": {"audit", "codecs", "record", "sandbox", "transport"},
    "phonenumbers": {"scim"},
    "rich": {"rendering.paper"},
    "yaml": {"sandbox", "yamlsource"},
}

VALUES = {
    "msgspec",
    "msgspec.Struct",
    "msgspec.field",
    "msgspec.structs",
    *(f"msgspec.structs.{name}" for name in ("asdict", "fields", "force_setattr", "replace")),
}
"""How values are made, everywhere; what else the package can do has no home here."""


def name_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, those inside functions too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def unit_of(module: str) -> str:
    return module.removeprefix("reconciler.").partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_downward(path: Path) -> None:
    name = name_of(path)
    unit = unit_of(name)
    if not name:
        return
    assert unit in LEVEL, f"{unit} has no place in LAYERS"
    for imported in imports_of(path):
        if not imported.startswith("reconciler.") or unit_of(imported) in (unit, "__version__"):
            continue
        other = unit_of(imported)
        assert other in LEVEL, f"{other} has no place in LAYERS"
        assert LEVEL[other] < LEVEL[unit], f"{name} imports {imported}, which is not below it"


@pytest.mark.parametrize("path", [p for p in MODULES if unit_of(name_of(p)) in CORE], ids=name_of)
def test_the_core_is_pure(path: Path) -> None:
    assert not IMPURE & set(imports_of(path))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_third_party_package_has_its_home(path: Path) -> None:
    name = name_of(path)
    for imported in imports_of(path):
        package = imported.partition(".")[0]
        if package in HOMES:
            homes = HOMES[package]
            assert any(name == home or name.startswith(home + ".") for home in homes), f"{name} imports {package}"
        elif package == "msgspec":
            assert imported in VALUES, f"{name} imports {imported}"
        elif package not in ("reconciler", "") and package not in sys.stdlib_module_names:
            raise AssertionError(f"{name} imports {package}, which has no home")


@pytest.mark.parametrize("path", [p for p in MODULES if unit_of(name_of(p)) == "sandbox"], ids=name_of)
def test_the_embedded_provider_shares_nothing_with_the_client(path: Path) -> None:
    ours = {each for each in imports_of(path) if each.startswith("reconciler.")}
    assert {unit_of(each) for each in ours} <= {"sandbox"}


def test_only_the_command_line_catches_everything() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            caught = node.type if isinstance(node, ast.ExceptHandler) else None
            if isinstance(node, ast.ExceptHandler) and (caught is None or getattr(caught, "id", "") in ("Exception",)):
                found.append(name_of(path))
    assert found == ["cli.main", "cli.several"]


VENDORS = ("genesys", "purecloud")


@pytest.mark.parametrize(
    "path", [p for p in MODULES if unit_of(name_of(p)) not in ("profiles", "sandbox")], ids=name_of
)
def test_no_vendor_is_named_outside_profiles(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()
    assert not [vendor for vendor in VENDORS if vendor in text]
