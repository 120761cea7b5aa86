"""The record as a git ref: read, write, what is left alone, and what clones may look like."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.record.git import GitRecordStore
from reconciler.record.store import CommitMessage, GitError, RecordUnreadable
from tests.record.git_world import FILES, REF, World, executable, git, message, repository, state_of


def test_a_record_is_read_back_by_another_clone(world: World) -> None:
    first, second = world.store(world.seed), world.store(world.clone("second"))
    assert first.read().version is None
    version = first.write(FILES, expected=None, message=message())
    snapshot = second.read()
    assert (snapshot.version, dict(snapshot.files), snapshot.notices) == (version, FILES, ())
    assert not snapshot.as_of_local
    assert not snapshot.lost_on_remote
    changed = {**FILES, "header.json": b"[]"} | {"users/333.jsonl": b"x"}
    later = second.write(changed, expected=version, message=message("done"))
    assert dict(first.read().files) == changed
    assert git(world.origin, "rev-list", REF).split() == [later, version]  # one line of commits, no merge
    assert git(world.seed, "rev-parse", REF) == later


def test_a_file_left_out_is_gone(world: World) -> None:
    store = world.store(world.seed)
    version = store.write(FILES, expected=None, message=message())
    store.write({"header.json": b"{}"}, expected=version, message=message())
    assert dict(store.read().files) == {"header.json": b"{}"}


def test_only_changed_files_become_new_objects(world: World) -> None:
    store = world.store(world.seed)
    shards = {f"users/{number:03}.jsonl": b"line %d\n" % number for number in range(40)}
    version = store.write(shards, expected=None, message=message())
    before = set(git(world.seed, "rev-list", "--objects", "--no-object-names", version).split())
    later = store.write({**shards, "users/007.jsonl": b"new\n"}, expected=version, message=message())
    after = set(git(world.seed, "rev-list", "--objects", "--no-object-names", later).split())
    assert len(after - before) == 4  # commit, two trees, one blob


def test_unchanged_files_are_not_stored_again(world: World) -> None:
    store = world.store(world.seed)
    version = store.write(FILES, expected=None, message=message())
    blob = git(world.seed, "rev-parse", f"{version}:users/000.jsonl")
    path = world.seed / ".git/objects" / blob[:2] / blob[2:]
    os.utime(path, (1_000_000_000, 1_000_000_000))  # git would set the time anew
    store.write({**FILES, "users/001.jsonl": b"new\n"}, expected=version, message=message())
    assert path.stat().st_mtime == 1_000_000_000


def test_bytes_stay_as_they_are_whatever_git_is_told_about_line_ends(world: World) -> None:
    git(world.seed, "config", "core.autocrlf", "input")
    store = world.store(world.seed)
    store.write({"header.json": b"a\r\nb\r\n"}, expected=None, message=message())
    assert store.read().files["header.json"] == b"a\r\nb\r\n"


def test_what_the_commit_says(world: World) -> None:
    git(world.seed, "config", "commit.gpgSign", "true")
    git(world.seed, "config", "i18n.commitEncoding", "ISO-8859-1")
    store = GitRecordStore(repository(world.seed), "prod", "origin", email="bot@example.com")
    said = CommitMessage(summary="applied né\nto prod", trailers={"Actor": "a\nState: done", "State": "claimed"})
    version = store.write(FILES, expected=None, message=said)
    *lines, nonce = git(world.seed, "cat-file", "commit", version).split("\n\n", 1)[1].splitlines()
    assert lines == ["applied né to prod", "", "Actor: a State: done", "State: claimed"]
    assert len(nonce.removeprefix("Nonce: ")) == 16
    assert git(world.seed, "log", "-1", "--encoding=UTF-8", "--format=%s", version) == "applied né to prod"
    assert git(world.seed, "log", "-1", "--format=%an <%ae> %cn <%ce>", version) == (
        "reconciler <bot@example.com> reconciler <bot@example.com>"
    )


def test_the_same_record_twice_is_two_commits(world: World) -> None:
    store = world.store(world.seed, None)
    first = store.write(FILES, expected=None, message=message())
    git(world.seed, "update-ref", "-d", REF)
    assert store.write(FILES, expected=None, message=message()) != first


def _on_a_branch(world: World) -> Path:
    return world.clone("c")


def _detached(world: World) -> Path:
    clone = world.clone("c")
    git(clone, "checkout", "-q", "--detach")
    return clone


def _worktree(world: World) -> Path:
    git(world.seed, "worktree", "add", "-q", str(world.folder / "c"), "--detach")
    return world.folder / "c"


def _unborn(world: World) -> Path:
    clone = world.folder / "c"
    git(world.folder, "init", "-q", "-b", "main", "c")
    git(clone, "remote", "add", "origin", world.url)
    return clone


def _shallow(world: World) -> Path:
    world.commit({"identities/b.yaml": "b: 1\n"})
    return world.clone("c", "--depth=1")


def _blobless(world: World) -> Path:
    return world.clone("c", "--filter=blob:none")


def _shallow_and_blobless(world: World) -> Path:
    world.commit({"identities/b.yaml": "b: 1\n"})
    return world.clone("c", "--depth=1", "--filter=blob:none")


@pytest.mark.parametrize(
    "make", [_on_a_branch, _detached, _worktree, _unborn, _shallow, _blobless, _shallow_and_blobless]
)
def test_every_kind_of_clone_reads_and_writes_and_stays_as_it_was(world: World, make: Callable[[World], Path]) -> None:
    other = world.store(world.seed)
    first = other.write(FILES, expected=None, message=message())
    clone = make(world)
    (clone / "staged.yaml").write_text("staged: 1\n")
    git(clone, "add", "staged.yaml")
    (clone / "staged.yaml").write_text("and: changed\n")
    (clone / "untracked").write_text("x")
    before, shallow = state_of(clone), repository(clone).is_shallow()
    head_count = git(clone, "rev-list", "--count", "--all")

    store = world.store(clone)
    assert store.read().version == first
    second = store.write({**FILES, "users/000.jsonl": b"2"}, expected=first, message=message())
    assert other.read().version == second
    third = other.write({**FILES, "users/000.jsonl": b"3"}, expected=second, message=message())
    snapshot = store.read()
    assert (snapshot.version, snapshot.files["users/000.jsonl"]) == (third, b"3")
    fourth = store.write({**FILES, "users/000.jsonl": b"4"}, expected=third, message=message())
    assert dict(other.read().files) == {**FILES, "users/000.jsonl": b"4"}
    assert git(world.origin, "rev-list", REF).split() == [fourth, third, second, first]

    assert state_of(clone) == before
    assert repository(clone).is_shallow() == shallow
    assert int(git(clone, "rev-list", "--count", "--all")) >= int(head_count)


def test_a_partial_clone_gets_the_whole_record_at_once(world: World) -> None:
    world.store(world.seed).write(FILES, expected=None, message=message())
    clone, calls = _blobless(world), world.folder / "calls"
    script = executable(world.folder / "counting", f'echo x >> {calls}; exec git-upload-pack "$@"')
    git(clone, "config", "remote.origin.uploadpack", str(script))
    assert dict(world.store(clone).read().files) == FILES
    assert calls.read_text() == "x\n" * 2  # where the tip is, and one fetch; not one more for each missing blob


@pytest.mark.parametrize(("make", "commits"), [(_on_a_branch, "3"), (_shallow, "1")])
def test_a_shallow_clone_gets_the_newest_record_only(world: World, make: Callable[[World], Path], commits: str) -> None:
    version = None
    for _ in range(3):
        version = world.store(world.seed).write(FILES, expected=version, message=message())
    clone = make(world)
    assert world.store(clone).read().version == version
    assert git(clone, "rev-list", "--count", REF) == commits


def test_sha256(tmp_path: Path) -> None:
    world = World(tmp_path, object_format="sha256")
    store = world.store(world.seed)
    version = store.write(FILES, expected=None, message=message())
    assert len(version) == 64
    later = store.write({**FILES, "header.json": b"2"}, expected=version, message=message())
    snapshot = world.store(world.clone("c")).read()
    assert (snapshot.version, snapshot.files["header.json"]) == (later, b"2")


def test_inherited_git_variables_do_not_lead_astray(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = world.clone("c")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(world.folder / "nowhere"))
    store = world.store(clone)
    assert store.read().version is None
    store.write(FILES, expected=None, message=message())
    assert dict(store.read().files) == FILES


def test_without_a_remote_the_local_ref_is_the_record(world: World) -> None:
    store = world.store(world.seed, None)
    version = store.write(FILES, expected=None, message=message())
    snapshot = store.read()
    assert (snapshot.version, dict(snapshot.files)) == (version, FILES)
    assert snapshot.notices == ("this repository has no remote: what was applied is on record here only",)
    assert world.tip() == ""
    assert "no remote" in store.describe()


def test_a_ref_that_merely_ends_like_ours_is_not_ours(world: World) -> None:
    git(world.seed, "push", "-q", "origin", f"HEAD:refs/copies/{REF}")
    snapshot = world.store(world.seed).read()
    assert (snapshot.version, snapshot.as_of_local) == (None, False)


@pytest.mark.parametrize("mode", ["120000 blob", "160000 commit"])
def test_a_record_with_something_else_than_files_is_unreadable(world: World, mode: str) -> None:
    kind = git(world.seed, "rev-parse", "HEAD" if "commit" in mode else "HEAD:reconciler.yaml")
    tree = git(world.seed, "mktree", stdin=f"{mode} {kind}\theader.json\n")
    commit = git(world.seed, "commit-tree", tree, "-m", "forged")
    git(world.seed, "push", "-q", "origin", f"{commit}:{REF}")
    with pytest.raises(RecordUnreadable, match="no plain file"):
        world.store(world.seed).read()


def test_a_ref_that_is_no_commit_is_unreadable(world: World) -> None:
    git(world.seed, "push", "-q", "origin", f"HEAD:{REF}")
    blob = git(world.seed, "rev-parse", "HEAD:reconciler.yaml")
    git(world.origin, "update-ref", REF, blob)
    with pytest.raises(RecordUnreadable):
        world.store(world.seed).read()


def test_a_missing_object_is_unreadable(world: World) -> None:
    store = world.store(world.seed, None)
    version = store.write(FILES, expected=None, message=message())
    blob = git(world.seed, "rev-parse", f"{version}:users/000.jsonl")
    (world.seed / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(RecordUnreadable, match=blob):
        store.read()


def test_where_it_lives_is_told_without_credentials(world: World) -> None:
    git(world.seed, "remote", "set-url", "origin", "https://bot:s3cret@example.com/org/repo.git")
    assert world.store(world.seed).describe() == f"{REF} on origin (https://***@example.com/org/repo.git)"


@pytest.mark.parametrize("target", ["", "a/b", "A", "a.lock", "-a", "..", "a" * 42, "a\n"])
def test_target_names_that_are_no_part_of_a_ref(world: World, target: str) -> None:
    with pytest.raises(ValueError, match="not a target name"):
        replace(world.store(world.seed), target=target)


def test_an_unknown_remote(world: World) -> None:
    with pytest.raises(GitError, match="there is no remote '--all'"):
        world.store(world.seed, "--all")


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../b", "a//b", ".git/config", "a\\b", "a\nb"])
def test_paths_stay_inside_the_record(world: World, path: str) -> None:
    with pytest.raises(ValueError, match="not a path of a record"):
        world.store(world.seed).write({path: b""}, expected=None, message=message())
