"""Which exit code each command ends with in which situation. Scripts depend on them, so the table is the contract."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import orjson
import pytest

from reconciler.cli.exits import EXIT_CODES, ORDER, Exit, worst
from reconciler.cli.main import COMMANDS
from reconciler.sandbox import Request, open_sandbox
from tests.cli.in_process import quick
from tests.cli.provider import Provider, people, prepared
from tests.conftest import Folder
from tests.sandbox.raw import stored

SETTINGS = "targets:\n  here: {profile: rfc, url: 'sandbox:'}\n"
TEAM = ("ann.lee", "bob.li", "cem.o", "dia.r", "eve.s", "fay.t")


# --- situations: each makes a project in a folder, mostly on top of another one


def fresh(folder: Folder) -> None:
    """Six people are declared, and nothing was ever applied."""
    folder.write("reconciler.yaml", SETTINGS)
    folder.write("identities/all.yaml", people(*TEAM))


def applied(folder: Folder) -> None:
    """What is declared is in place."""
    fresh(folder)
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("plan", "--out", "plan.json").code == 0


def changed(folder: Folder) -> None:
    """One title is new."""
    applied(folder)
    folder.write("identities/all.yaml", people(*TEAM, ann_lee="Lead"))


def drifted(folder: Folder) -> None:
    """Somebody else renamed Ann on the server."""
    applied(folder)
    by_hand(folder, "ann.lee@example.com", "displayName", "Anna")


def drifted_and_changed(folder: Folder) -> None:
    """Somebody else renamed Ann, and Bob's title is new."""
    drifted(folder)
    folder.write("identities/all.yaml", people(*TEAM, bob_li="Lead"))


def drift_is_corrected(folder: Folder) -> None:
    """As `drifted`, under a policy that every apply puts such things right."""
    drifted(folder)
    folder.write("reconciler.yaml", SETTINGS + "policy: {drift: correct}\n")


def too_many_leave(folder: Folder) -> None:
    """Five of six are gone from the declarations; three may go at once."""
    applied(folder)
    folder.write("identities/all.yaml", people("ann.lee"))


def swapped(folder: Folder) -> None:
    """Ann and Bob take each other's login, which is refused; Cem's title is new."""
    applied(folder)
    text = people(*TEAM, cem_o="Lead").replace("ann.lee@", "X@").replace("bob.li@", "ann.lee@").replace("X@", "bob.li@")
    folder.write("identities/all.yaml", text)


def swapped_and_drifted(folder: Folder) -> None:
    """A refused swap, and somebody else's change."""
    swapped(folder)
    by_hand(folder, "dia.r@example.com", "displayName", "Diana")


def swapped_and_too_many_leave(folder: Folder) -> None:
    """A refused swap, and a broken rule."""
    swapped(folder)
    text = (folder.path / "identities/all.yaml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(("  cem", "  dia", "  eve", "  fay"))]
    folder.write("identities/all.yaml", "\n".join(kept) + "\n")


def broken(folder: Folder) -> None:
    """A key that does not exist."""
    applied(folder)
    folder.write("identities/all.yaml", "users:\n  ann.lee: {userName: ann.lee@example.com, tilte: Lead}\n")


def warned(folder: Folder) -> None:
    """A group whose rule fits nobody: odd, not wrong. Everything is in place."""
    fresh(folder)
    rule = "groups:\n  ops: {displayName: Ops, memberRule: {title: Pilot}}\n"
    folder.write("identities/ops.yaml", rule)
    assert folder.run("apply", "--auto-approve").code == 0


def broken_acceptances(folder: Folder) -> None:
    """A line in acceptances.yaml without a reason."""
    applied(folder)
    folder.write("acceptances.yaml", "- {rule: removals, digest: 3f2a9c41}\n")


def broken_settings(folder: Folder) -> None:
    """A key that the settings do not have."""
    applied(folder)
    folder.write("reconciler.yaml", SETTINGS + "polcy: {}\n")


def not_embedded(folder: Folder) -> None:
    """The only target is somebody else's server, which is not running."""
    folder.write("reconciler.yaml", "targets:\n  prod: {profile: rfc, url: 'http://127.0.0.1:1/scim'}\n")
    folder.write("identities/all.yaml", people("ann.lee"))


def empty(folder: Folder) -> None:
    """No settings at all."""


def by_hand(folder: Folder, login: str, attribute: str, value: str) -> None:
    """Change something past reconciler."""
    service = open_sandbox(folder.path / ".reconciler" / "sandbox" / "here", "rfc")
    user = stored(service, login)
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": attribute, "value": value}],
    }
    request = Request(method="PATCH", target=f"/scim/v2/Users/{user['id']}", body=orjson.dumps(body))
    assert service.handle(request).status == 200
    service.close()


# --- the table


@dataclass(frozen=True)
class Case:
    """A situation, a command line in it, the code it ends with, and words that it says on stdout or stderr."""

    situation: Callable[[Folder], None]
    line: str
    code: int
    out: str = ""
    err: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.situation.__name__}: {self.line}"


YES = "apply --auto-approve"
CASES = [
    # validate
    Case(fresh, "validate", 0, out="Valid: 6 users"),
    Case(warned, "validate", 0, err="warning[rule-matches-nobody]"),
    Case(broken, "validate", 1, err="did you mean title?"),
    Case(broken_settings, "validate", 1, err="did you mean policy?"),
    Case(broken_acceptances, "validate", 1, err="reason"),
    Case(empty, "validate", 1, err="there is no reconciler.yaml"),
    Case(not_embedded, "validate", 0),
    Case(fresh, "validate --target her", 64, err="did you mean here?"),
    # plan
    Case(applied, "plan", 0, out="No changes."),
    Case(applied, "plan --detailed-exitcode", 0),
    Case(changed, "plan", 0, out="1 to change"),
    Case(changed, "plan --detailed-exitcode", 2),
    Case(drifted, "plan --detailed-exitcode", 0, out="by other hands"),
    Case(drift_is_corrected, "plan --detailed-exitcode", 2),
    Case(warned, "plan --detailed-exitcode", 0, out="fits nobody"),
    Case(too_many_leave, "plan", 3, out="rule: removals"),
    Case(too_many_leave, "plan --detailed-exitcode", 3),
    Case(swapped, "plan", 5, out="take each other's names"),
    Case(swapped, "plan --detailed-exitcode", 5),
    Case(swapped_and_too_many_leave, "plan --detailed-exitcode", 3, out="take each other's names"),
    Case(broken, "plan --detailed-exitcode", 1, err="did you mean title?"),
    Case(broken_acceptances, "plan", 1, err="reason"),
    Case(not_embedded, "plan --detailed-exitcode", 1, err="connection refused"),
    Case(broken, "plan --nope", 64),
    Case(fresh, "plan --target her", 64, err="did you mean here?"),
    Case(fresh, "plan", 64, err="did you mean here?", environment={"RECONCILER_TARGET": "her"}),
    Case(fresh, "plan --settings nowhere.yaml", 64, err="nowhere.yaml"),
    Case(fresh, "plan --identities nowhere", 64, err="nowhere"),
    Case(fresh, "plan --out nowhere/plan.json", 1, err="nowhere/plan.json"),
    # show
    Case(applied, "show plan.json", 0, out="No changes."),
    Case(applied, "show other.json", 1, err="other.json"),
    Case(applied, "show --live plan.json", 0, out="Of 0 differences"),
    Case(changed, "show --live plan.json", 4, err="has changed since the plan was made"),
    Case(applied, "show reconciler.yaml", 1, err="reconciler.yaml cannot be used as a plan"),
    Case(applied, "show", 64, err="missing argument 'FILE'"),
    # apply
    Case(fresh, YES, 0, out="Apply complete: 6 added"),
    Case(applied, YES, 0, out="No changes."),
    Case(changed, YES, 0, out="1 changed"),
    Case(drifted, YES, 0, out="by other hands"),
    Case(drifted, f"{YES} --drift", 0, out="1 changed"),
    Case(warned, YES, 0),
    Case(too_many_leave, YES, 3, out="a safety rule forbids it"),
    Case(swapped, YES, 5, out="1 changed"),
    Case(swapped_and_too_many_leave, YES, 3),
    Case(broken, YES, 1),
    Case(not_embedded, YES, 1, err="connection refused"),
    Case(changed, "apply", 64, err="add --auto-approve"),
    Case(empty, "apply", 64, err="add --auto-approve"),
    Case(broken, f"{YES} --nope", 64),
    Case(changed, f"{YES} --target her", 64, err="did you mean here?"),
    Case(applied, f"{YES} plan.json", 0, out="Nothing left to do"),
    Case(changed, f"{YES} plan.json", 4, err="has changed since the plan was made"),
    Case(drifted, f"{YES} plan.json", 0, out="Nothing left to do"),
    Case(changed, f"{YES} --reviewed plan.json", 4, out="Only in the plan made now"),
    Case(changed, f"{YES} --reviewed {'0' * 64}", 4, err="the digest of this one is"),
    Case(changed, f"{YES} --reviewed 0000000", 64, err="write all 64 digits"),
    Case(changed, f"{YES} --reviewed nowhere.json", 64, err="neither a digest nor a file"),
    Case(too_many_leave, f"{YES} --reviewed plan.json", 4),
    Case(applied, f"{YES} reconciler.yaml", 1, err="cannot be used as a plan"),
    Case(applied, f"{YES} --drift plan.json", 64, err="one of them"),
    Case(applied, "apply plan.json", 64, err="add --auto-approve"),
    # drift
    Case(applied, "drift", 0, out="No drift."),
    Case(changed, "drift", 0, out="No drift."),
    Case(fresh, "drift", 0, out="cannot be told"),
    Case(drifted, "drift", 2, out="Anna"),
    Case(drifted_and_changed, "drift", 2, out="Anna"),
    Case(drift_is_corrected, "drift", 2, out="Anna"),
    Case(swapped_and_drifted, "drift", 5, out="Diana"),
    Case(too_many_leave, "drift", 0),
    Case(broken, "drift", 1),
    Case(not_embedded, "drift", 1),
    Case(drifted, "drift --format xml", 64, err="json"),
    # schema
    Case(fresh, "explain ann.lee", 0, out="user.ann.lee on target"),
    Case(fresh, "explain ann.lea", 64, err="did you mean user.ann.lee?"),
    Case(fresh, "import --out identities/more", 0, out="written"),
    Case(fresh, "import", 0, out="written"),
    Case(fresh, "import --out elsewhere", 64, err="does not read elsewhere"),
    Case(empty, "import", 1, err="there is no reconciler.yaml"),
    Case(empty, "schema", 0, out="identities"),
    Case(empty, "schema plan", 0, out='"$schema"'),
    Case(empty, "schema plans", 64, err="did you mean plan?"),
    # sandbox
    Case(not_embedded, "sandbox", 64, err="is not embedded"),
    Case(fresh, "sandbox --port 70000", 64, err="70000"),
    Case(empty, "sandbox", 1),
    # no command, a wrong one
    Case(empty, "--help", 0, out="Exit codes:"),
    Case(fresh, "doctor", 0, out="pass  users"),
    Case(empty, "doctor", 1, err="no reconciler.yaml"),
    Case(empty, "init", 0, out="reconciler.yaml"),
    Case(fresh, "init", 0, out="kept"),
    Case(empty, "init --profile rfk", 64, err="rfc"),
    Case(empty, "init --ci github", 64, err="--tool OWNER/NAME@COMMIT"),
    Case(empty, "init --ci github --tool acme/reconciler@main", 64, err="40 digits"),
    Case(empty, "init --tool acme/reconciler@main", 64, err="--ci"),
    Case(empty, "--version", 0, out="reconciler"),
    Case(empty, "aply", 64, err="did you mean apply?"),
    Case(empty, "dry-run", 64, err="reconciler plan"),
    Case(empty, "--dry-run plan", 64, err="reconciler plan"),
    Case(empty, "--target here plan", 64, err="behind its name"),
]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Folder], None]], Path]:
    """Each situation, made once."""
    made: dict[str, Path] = {}

    def template(situation: Callable[[Folder], None]) -> Path:
        if situation.__name__ not in made:
            path = tmp_path_factory.mktemp(situation.__name__)
            situation(quick(path))
            made[situation.__name__] = path
        return made[situation.__name__]

    return template


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exit_code(case: Case, templates: Callable[[Callable[[Folder], None]], Path], tmp_path: Path) -> None:
    shutil.copytree(templates(case.situation), tmp_path / "here")
    ran = quick(tmp_path / "here").run(*case.line.split(), **case.environment)
    assert ran.code == case.code, ran.out + ran.err
    assert case.out in ran.out
    assert case.err in ran.err
    if ran.code in (Exit.FAILED, Exit.USAGE):
        assert ran.err


def test_every_command_is_in_the_table() -> None:
    assert {case.line.split()[0] for case in CASES} >= set(COMMANDS)


def test_nothing_at_all_is_wrong_usage_and_shows_what_there_is(folder: Folder) -> None:
    ran = folder.run()
    assert ran.code == 64
    assert all(name in ran.out for name in COMMANDS)


# --- several at once


def test_of_several_codes_the_first_of_the_order_wins() -> None:
    assert [int(code) for code in ORDER] == [64, 1, 3, 4, 5, 2, 0]
    assert set(ORDER) == set(Exit) == set(EXIT_CODES)
    for first, second in combinations(ORDER, 2):
        assert worst([second, first]) is worst([first, second]) is first
    assert worst([]) is Exit.DONE


# --- a wrong command line is noticed before anything is asked


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("plan --dry_run", "`reconciler plan` is the dry run: it never writes"),
        ("apply --auto-approve --dryrun", "`reconciler plan` is the dry run: it never writes"),
        ("apply --auto-approve --dry-run", "`reconciler plan` is the dry run: it never writes"),
        ("apply --auto-aprove", "did you mean --auto-approve?"),
        ("apply --yes --auto-approve", "known: --accept"),
        ("apply --auto-approve --accept", "requires an argument"),
        ("aply --auto-approve", "did you mean apply?"),
        ("plan --format yaml", "json"),
        ("plan --detail", "did you mean --detailed-exitcode?"),
        ("apply --auto-approve --target prd", "did you mean prod?"),
        ("apply prod --auto-approve", "did you mean --target prod?"),
        ("apply one two --auto-approve", "one word too many: two"),
        ("apply", "add --auto-approve"),
    ],
)
def test_a_wrong_command_line_sends_nothing(line: str, mend: str, tmp_path: Path, running: Provider) -> None:
    folder = prepared(quick(tmp_path / "here"), running, people("ann.lee"))
    ran = folder.run(*line.split())
    assert ran.code == 64, ran.out
    assert mend in ran.err
    assert ran.err.startswith("error: ")
    assert not ran.out
    assert not running.asked
    assert sorted(each.name for each in folder.path.iterdir()) == ["identities", "reconciler.yaml"]
