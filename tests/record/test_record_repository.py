"""A repository as the command line sees it: what is found, what is dirty, what a commit holds."""

import os
import time
from pathlib import Path

import pytest

from reconciler.record.repository import TIMED_OUT, GitRepository, mask_credentials, printable_lines, run_git
from reconciler.record.store import GitError
from tests.record.git_world import World, git, is_root, repository


def test_find_from_any_place_inside(world: World) -> None:
    for place in (world.seed, world.seed / "identities", world.seed / "reconciler.yaml"):
        found = repository(place)
        assert found.top == world.seed
    git(world.seed, "worktree", "add", "-q", "../tree")
    tree = repository(world.folder / "tree")
    assert tree.top == world.folder / "tree"


def test_no_repository(tmp_path: Path) -> None:
    assert GitRepository.find(tmp_path) is None


def test_a_repository_that_git_does_not_open(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(GitError, match="nowhere"):
        GitRepository.find(tmp_path)


@pytest.mark.skipif(not is_root(), reason="only root can give a folder away")
def test_dubious_ownership(world: World) -> None:
    for folder, folders, files in os.walk(world.seed):
        for name in (".", *folders, *files):
            os.chown(Path(folder, name), 12345, 12345)
    with pytest.raises(GitError) as caught:
        GitRepository.find(world.seed / "identities")
    assert "dubious ownership" in str(caught.value)
    assert f"safe.directory {world.seed}" in caught.value.mend
    found = GitRepository.find(world.seed, trusted=world.seed)
    assert found is not None
    assert found.head() == git(world.seed, "-c", f"safe.directory={world.seed}", "rev-parse", "HEAD")


def test_git_is_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(world.folder))
    with pytest.raises(GitError, match="not installed"):
        GitRepository.find(world.seed)


def test_a_folder_that_is_gone(world: World) -> None:
    with pytest.raises(GitError, match="cannot be started in"):
        run_git(["status"], folder=world.folder / "gone")


def test_an_old_git_does_not_know_our_options(world: World) -> None:
    with pytest.raises(GitError, match="too old"):
        run_git(["fetch", "--option-of-tomorrow"], folder=world.seed)


def test_a_git_that_hangs_is_ended_with_its_children(world: World) -> None:
    mark = world.folder / "mark"
    started = time.monotonic()
    answer = run_git(["-c", f"alias.hang=!(sleep 2; touch {mark}) & wait", "hang"], folder=world.seed, seconds=0.3)
    assert answer.code == TIMED_OUT
    assert time.monotonic() - started < 1.5
    time.sleep(2)
    assert not mark.exists()


def test_the_commit_that_is_checked_out_is_found_by_any_name(world: World) -> None:
    found = repository(world.seed)
    head = git(world.seed, "rev-parse", "HEAD")
    assert found.head() == head == found.commit_id("main") == found.commit_id(head[:8])
    git(world.seed, "checkout", "-q", "--detach")
    assert found.head() == head
    git(world.folder, "init", "-q", "empty")
    assert repository(world.folder / "empty").head() is None
    for name in ("nothing", "--all", "main:reconciler.yaml", ""):
        assert found.commit_id(name) is None


def test_declarations_that_no_commit_holds_are_found_and_nothing_else(world: World) -> None:
    seed = world.seed
    world.commit({".gitignore": "ignored*\n", "identities/b.yaml": "b: 1\n", "identities/é x.yml": "c: 1\n"})
    found = repository(seed)
    places = [seed / "identities", seed / "reconciler.yaml", seed / "acceptances.yaml"]
    assert found.dirty(places) == ()
    (seed / "elsewhere.yaml").write_text("x")
    (seed / "identities/notes.txt").write_text("x")
    assert found.dirty(places) == ()
    assert found.dirty([]) == ()
    (seed / "reconciler.yaml").write_text("changed")
    (seed / "acceptances.yaml").write_text("untracked")
    (seed / "identities/a.yaml").unlink()
    (seed / "identities/ignored.yaml").write_text("read by us, held by no commit")
    (seed / "identities/b.yaml").write_text("staged")
    git(seed, "add", "identities/b.yaml")
    git(seed, "mv", "identities/é x.yml", "identities/moved.yaml")
    (seed / "identities/deep/er").mkdir(parents=True)
    (seed / "identities/deep/er/new.yaml").write_text("x")
    git(seed / "identities", "init", "-q", "inner")
    (seed / "identities/inner/i.yaml").write_text("x")
    os.utime(seed / ".gitignore", (1_000_000_000, 1_000_000_000))  # `status` would note that in the index
    index = (seed / ".git/index").read_bytes()
    assert found.dirty([seed]) != ()
    assert found.dirty(places) == (
        "acceptances.yaml",
        "identities/a.yaml",
        "identities/b.yaml",
        "identities/deep/er/new.yaml",
        "identities/ignored.yaml",
        "identities/inner/",
        "identities/moved.yaml",
        "identities/é x.yml",
        "reconciler.yaml",
    )
    assert (seed / ".git/index").read_bytes() == index


def test_dirty_takes_names_literally_and_follows_links_to_the_top(world: World) -> None:
    world.commit({"identities/[a].yaml": "x: 1\n"})
    (world.seed / "identities/a.yaml").write_text("changed")
    assert repository(world.seed).dirty([world.seed / "identities/[a].yaml"]) == ()
    link = world.folder / "link"
    link.symlink_to(world.seed)
    assert repository(link).dirty([link / "identities"]) == ("identities/a.yaml",)


def test_dirty_before_the_first_commit(world: World) -> None:
    git(world.folder, "init", "-q", "empty")
    (world.folder / "empty/reconciler.yaml").write_text("x")
    assert repository(world.folder / "empty").dirty([world.folder / "empty"]) == ("reconciler.yaml",)


def test_dirty_outside(world: World) -> None:
    with pytest.raises(GitError, match="outside"):
        repository(world.seed).dirty([world.folder / "other"])


@pytest.mark.parametrize(
    ("names", "expected"), [((), None), (("fork",), "fork"), (("fork", "origin"), "origin"), (("origin",), "origin")]
)
def test_default_remote(world: World, names: tuple[str, ...], expected: str | None) -> None:
    git(world.seed, "remote", "remove", "origin")
    for name in names:
        git(world.seed, "remote", "add", name, world.url)
    assert repository(world.seed).remotes() == names
    assert repository(world.seed).default_remote() == expected


def test_several_remotes_and_no_origin(world: World) -> None:
    git(world.seed, "remote", "rename", "origin", "a")
    git(world.seed, "remote", "add", "b", world.url)
    with pytest.raises(GitError, match=r"several remotes.*: a, b\n.*record: \{remote: NAME\}"):
        repository(world.seed).default_remote()


def test_what_a_commit_holds(world: World) -> None:
    seed, found = world.seed, repository(world.seed)
    old = git(seed, "rev-parse", "HEAD")
    new = world.commit({"identities/deep/ü.yaml": "new: 1\n", "identities/a.yaml": "a: 2\n"})
    assert found.show(old, "identities/a.yaml") == b"a: 1\n"
    assert found.show(new, "./identities/a.yaml") == b"a: 2\n"
    assert found.show("main", "identities/deep/ü.yaml") == b"new: 1\n"
    for absent in ("identities/b.yaml", "identities", ".", "identities/*.yaml", ":reconciler.yaml"):
        assert found.show(new, absent) is None
    with pytest.raises(GitError, match="is not in this clone"):
        found.show("1" * 40, "identities/a.yaml")


def test_what_a_commit_holds_does_not_depend_on_the_folder(world: World) -> None:
    found = repository(world.seed / "identities")
    assert found.show("HEAD", "identities/a.yaml") == b"a: 1\n"


def test_an_unexpected_failure_carries_what_git_said(world: World) -> None:
    (world.seed / ".git/config").write_text("[broken")
    with pytest.raises(GitError, match="bad config"):
        repository(world.seed)


def test_foreign_text_is_made_printable() -> None:
    text = "remote: \033[31mred\u202e\n\n\x00\nfatal: https://bot:pa55@host/x and http://tok@h\n" + "y" * 400
    assert printable_lines(text) == ("remote:  [31mred", "fatal: https://***@host/x and http://***@h", "y" * 300)
    assert len(printable_lines("line\n" * 50)) == 20
    assert mask_credentials("git@github.com:org/repo") == "git@github.com:org/repo"
