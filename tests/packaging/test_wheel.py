"""What people install: the wheel alone, in an empty environment, far from the sources."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
SETTINGS = "targets:\n  here:\n    {profile: rfc, url: 'sandbox:'}\n"
IMPORT_ALL = """
import pkgutil, importlib, reconciler, sys
names = [each.name for each in pkgutil.walk_packages(reconciler.__path__, "reconciler.")]
[importlib.import_module(name) for name in names if not name.endswith("__main__")]
assert reconciler.__file__.startswith(sys.prefix), reconciler.__file__
print(len(names))
"""
DECLARED = "users:\n  ann.lee: {userName: ann.lee@example.com, displayName: Ann Lee}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="the package build is not installed")
    out = tmp_path_factory.mktemp("wheel")
    try:
        import hatchling  # noqa: F401 - only whether it is here

        isolation = ["--no-isolation"]
    except ImportError:
        isolation = []
    run([sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", str(out), str(ROOT)], ROOT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an empty environment into which the wheel and what it depends on were put."""
    folder = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", "--no-compile", str(wheel)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and os.environ.get("REQUIRE_SERVERS") != "1" and "No matching distribution" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return programs


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_what_is_not_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    data = [path for path in (ROOT / "reconciler").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    wanted = {path.relative_to(ROOT).as_posix() for path in data}
    assert {"reconciler/py.typed", "reconciler/profiles/genesys.yaml", "reconciler/profiles/rfc.yaml"} <= wanted
    assert any(path.startswith("reconciler/sandbox/") for path in wanted)
    wanted |= {f"reconciler/_schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    assert wanted - held == set()
    assert not [name for name in held if not name.startswith(("reconciler/", "scim_reconciler-"))]


def test_the_wheel_works_alone(installed: Path, tmp_path: Path) -> None:
    """One test, so that several workers do not each make an environment."""
    reconciler = str(installed / "reconciler")
    assert run([reconciler, "--version"], tmp_path).startswith("reconciler, version 0.")
    first_day(reconciler, declared(tmp_path / "rfc", "rfc"))
    assert "Plan: 1 to add" in run([reconciler, "plan"], declared(tmp_path / "genesys", "genesys"))
    for name in run([reconciler, "schema"], tmp_path).split():
        assert '"$schema"' in run([reconciler, "schema", name], tmp_path)
    # no module of ours reaches for a package that the wheel does not ask for
    assert int(run([str(installed / "python"), "-W", "error", "-c", IMPORT_ALL], tmp_path)) > 100


def first_day(reconciler: str, folder: Path) -> None:
    assert run([reconciler, "validate"], folder).startswith("Valid: 1 user")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in run([reconciler, "plan"], folder)
    assert "Apply complete: 1 added" in run([reconciler, "apply", "--auto-approve"], folder)
    assert run([reconciler, "plan", "--detailed-exitcode"], folder).startswith("No changes.")


def declared(folder: Path, profile: str) -> Path:
    """A folder with three lines of settings and one person."""
    (folder / "identities").mkdir(parents=True)
    (folder / "reconciler.yaml").write_text(SETTINGS.replace("rfc", profile))
    (folder / "identities" / "all.yaml").write_text(DECLARED)
    return folder
