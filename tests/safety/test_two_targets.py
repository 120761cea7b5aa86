"""Two targets with one URL: whoever moves from the one to the other is not removed, if they are one organisation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.sandbox import Request, SandboxService, open_sandbox
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import WRITING, Provider, provider

ANN = "  ann: {{userName: ann@x.example, displayName: Ann, roles: [Agent], targets: [{}]}}\n"
OTHERS = """\
  bob: {userName: bob@x.example, displayName: Bob, targets: [a]}
  cy: {userName: cy@x.example, displayName: Cy, targets: [b]}
"""


@pytest.fixture
def running() -> Iterator[Provider]:
    with provider() as organisation:
        yield organisation


@pytest.fixture
def folder(tmp_path: Path, running: Provider) -> QuickFolder:
    """Ann and Bob are declared for target a, Cy for b; nothing is applied yet."""
    here = quick(tmp_path / "here")
    one, two = (f"{{profile: rfc, url: '{running.base}', auth: {{bearer: 'env:TOKEN_{each}'}}}}" for each in "AB")
    targets = f"defaultTarget: a\ntargets:\n  a: {one}\n  b: {two}\n"
    here.write("reconciler.yaml", f"{targets}policy: {{removal: {{users: delete}}}}\n")
    declare(here, "a")
    return here


def declare(here: QuickFolder, ann: str) -> None:
    here.write("identities/all.yaml", f"users:\n{ANN.format(ann)}{OTHERS}")


def run(here: QuickFolder, command: str, target: str) -> tuple[int, str]:
    auto = ("--auto-approve",) if command == "apply" else ()
    ran = here.run(command, "--target", target, *auto, TOKEN_A="of-a", TOKEN_B="of-b")
    return ran.code, " ".join((ran.out + ran.err).split())


def test_who_moves_within_one_organisation_stays(folder: QuickFolder, running: Provider) -> None:
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    declare(folder, "b")
    written = len(running.writes)
    code, said = run(folder, "apply", "a")
    assert code == 0
    assert "user.ann: target b is the same organisation and declares ann@x.example: let go, not removed" in said
    assert run(folder, "apply", "b")[0] == 0
    assert len(running.writes) == written
    # from here on she is of b alone, and nothing more is said
    assert "ann" not in run(folder, "plan", "a")[1]
    folder.write("identities/all.yaml", f"users:\n{OTHERS}")
    assert "ann" not in run(folder, "plan", "a")[1]
    assert "user.ann will be deleted" in run(folder, "plan", "b")[1]


def test_another_key_there_is_the_same_person(folder: QuickFolder) -> None:
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    folder.write(
        "identities/all.yaml", f"users:\n{ANN.format('b').replace('ann:', 'ann.ng:').replace('ann@', 'ANN@')}{OTHERS}"
    )
    assert "let go, not removed" in run(folder, "plan", "a")[1]


@pytest.mark.parametrize(
    "line", [ANN.replace("ann:", "ann.ng:"), ANN.replace("ann:", "ann.ng:").replace("ann@", "ng@")]
)
def test_another_key_here_is_no_move(line: str, folder: QuickFolder) -> None:
    """Both declare her, and her key changes, or her key and her userName."""
    declare(folder, "a, b")
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    line = line.replace("{{", "{{formerly: [ann], ").format("a, b")
    folder.write("identities/all.yaml", f"users:\n{line}{OTHERS}")
    code, said = run(folder, "plan", "a")
    assert code == 0
    assert "let go" not in said
    assert "will be deleted" not in said


def test_who_is_declared_for_none_is_removed(folder: QuickFolder) -> None:
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    folder.write("identities/all.yaml", f"users:\n{OTHERS}")
    assert "user.ann will be deleted" in run(folder, "plan", "a")[1]


def test_two_organisations_behind_one_url(folder: QuickFolder, running: Provider) -> None:
    """Which one is meant is told by the credential, as with a provider that has one address for a region."""
    with beside(running) as other:
        assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
        declare(folder, "b")
        code, said = run(folder, "apply", "a")
        assert code == 0
        assert "declares" not in said
        assert "ann@x.example" not in running.users()
        assert run(folder, "apply", "b")[0] == 0
        assert "ann@x.example" in {each["userName"] for each in other.dump()["User"]}


@contextmanager
def beside(running: Provider) -> Iterator[SandboxService]:
    """A second organisation under the same URL, which answers whoever comes with the credential of b."""
    other = open_sandbox(None, "rfc")

    def by_credential(request: Request) -> Response | None:
        return other.handle(request) if "of-b" in str(request.headers) else None

    running.before = by_credential
    try:
        yield other
    finally:
        other.close()


def test_a_target_that_was_never_applied_may_be_another_organisation(folder: QuickFolder, running: Provider) -> None:
    assert run(folder, "apply", "a")[0] == 0
    declare(folder, "b")
    said = run(folder, "plan", "a")[1]
    assert "user.ann will be deleted" in said
    assert "target b has the same url, was never applied, and declares ann@x.example" in said
    assert "apply b first" in said
    # what it says is so
    assert run(folder, "apply", "b")[0] == 0
    assert "let go, not removed" in run(folder, "apply", "a")[1]
    assert "ann@x.example" in running.users()


def test_declarations_of_the_other_that_cannot_be_read_remove_nobody(folder: QuickFolder, running: Provider) -> None:
    settings = (folder.path / "reconciler.yaml").read_text()
    folder.write("reconciler.yaml", settings.replace("  b: {", "  b: {identities: [identities, more], "))
    folder.write("more/more.yaml", "users: {}\n")
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    declare(folder, "b")
    folder.write("more/more.yaml", "users: [\n")
    before = len(running.asked)
    code, said = run(folder, "apply", "a")
    assert code == 1
    assert "more/more.yaml" in said
    assert not [each for each in running.asked[before:] if each[0] in WRITING]


def test_a_record_of_the_other_that_cannot_be_read_removes_nobody(folder: QuickFolder, running: Provider) -> None:
    assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
    declare(folder, "b")
    for each in (folder.path / ".reconciler" / "record" / "b").rglob("*"):
        if each.is_file():
            each.write_bytes(b"{")
    before = len(running.asked)
    assert run(folder, "apply", "a")[0] == 1
    assert not [each for each in running.asked[before:] if each[0] in WRITING]
    # where nobody leaves for that target, its record is of no interest
    folder.write("identities/all.yaml", f"users:\n{OTHERS}")
    assert "user.ann will be deleted" in run(folder, "plan", "a")[1]


def test_declarations_of_another_organisation_that_cannot_be_read_stop_nothing(
    folder: QuickFolder, running: Provider
) -> None:
    settings = (folder.path / "reconciler.yaml").read_text()
    folder.write("reconciler.yaml", settings.replace("  b: {", "  b: {identities: [identities, more], "))
    folder.write("more/more.yaml", "users: {}\n")
    with beside(running):
        assert [run(folder, "apply", each)[0] for each in "ab"] == [0, 0]
        declare(folder, "b")
        folder.write("more/more.yaml", "users: [\n")
        assert "user.ann will be deleted" in run(folder, "plan", "a")[1]
