"""The record as a git ref where something goes wrong: races, refusals, silence, loss."""

import shlex
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.record.git import GitRecordStore
from reconciler.record.store import RecordError, RecordRaceLost, RecordRefused, RecordUnreachable
from tests.record.git_world import FILES, QUICK, REF, TARGET, World, executable, git, message, repository, state_of


def _write_or_error(store: GitRecordStore, expected: str | None) -> str | RecordError:
    try:
        return store.write(FILES, expected=expected, message=message())
    except RecordError as error:
        return error


@pytest.mark.parametrize("first", [True, False])
def test_of_many_pushers_exactly_one_wins(world: World, first: bool) -> None:
    expected = None if first else world.store(world.seed).write(FILES, expected=None, message=message())
    stores = [world.store(world.clone(f"clone-{number}")) for number in range(6)]
    for store in stores:
        assert store.read().version == expected
    with ThreadPoolExecutor(len(stores)) as pool:
        outcomes = list(pool.map(_write_or_error, stores, [expected] * len(stores)))
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert won == [world.tip()]
    lost = [outcome for outcome in outcomes if isinstance(outcome, RecordRaceLost)]
    assert len(lost) == len(stores) - 1
    assert {(error.expected, error.found) for error in lost} == {(expected, won[0])}


def test_of_many_writers_without_a_remote_exactly_one_wins(world: World) -> None:
    stores = [world.store(world.seed, None)] * 6
    with ThreadPoolExecutor(len(stores)) as pool:
        outcomes = list(pool.map(_write_or_error, stores, [None] * len(stores)))
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [git(world.seed, "rev-parse", REF)]
    assert sum(isinstance(outcome, RecordRaceLost) for outcome in outcomes) == len(stores) - 1


def test_a_moved_tip_is_a_lost_race_and_says_what_to_do(world: World) -> None:
    ours, theirs = world.store(world.seed), world.store(world.clone("theirs"))
    old = theirs.write(FILES, expected=None, message=message())
    ours.read()
    new = theirs.write(FILES, expected=old, message=message())
    before = state_of(world.seed)
    with pytest.raises(RecordRaceLost) as caught:
        ours.write(FILES, expected=old, message=message())
    assert (caught.value.expected, caught.value.found) == (old, new)
    assert str(caught.value).endswith("plan again")
    assert world.tip() == new
    assert git(world.seed, "rev-parse", REF) == old
    assert state_of(world.seed) == before


def test_a_rolled_back_or_deleted_record_is_not_brought_back_by_a_push(world: World) -> None:
    store = world.store(world.seed)
    first = store.write(FILES, expected=None, message=message())
    second = store.write(FILES, expected=first, message=message())
    git(world.origin, "update-ref", REF, first)
    assert isinstance(_write_or_error(store, second), RecordRaceLost)
    assert store.read().version == first  # set back on purpose: the local copy follows
    git(world.origin, "update-ref", "-d", REF)
    assert isinstance(_write_or_error(store, first), RecordRaceLost)
    assert world.tip() == ""


def test_refused_by_the_server(world: World) -> None:
    world.hook("pre-receive", 'printf "no \\033[31mrecords\\033[0m here\\n" >&2; exit 1')
    with pytest.raises(RecordRefused) as caught:
        world.store(world.seed).write(FILES, expected=None, message=message())
    text = str(caught.value)
    assert any(line.startswith("remote: no") and "records" in line for line in caught.value.lines)
    assert "\033" not in text
    assert "contents: write" in text
    assert "Allow Git push requests" in text
    assert world.tip() == ""


def test_a_push_is_tried_once_more_before_it_counts_as_refused(world: World) -> None:
    flag = world.folder / "refused-once"
    world.hook("update", f"test -e {flag} || {{ touch {flag}; exit 1; }}")
    version = world.store(world.seed).write(FILES, expected=None, message=message())
    assert world.tip() == version


def test_the_final_push_is_refused_and_kept(world: World) -> None:
    hook = world.hook(
        "update", 'git cat-file commit "$3" | grep -q "^State: done" && echo too late >&2 && exit 1\nexit 0'
    )
    store = world.store(world.seed)
    claim = store.write(FILES, expected=None, message=message("claimed"))
    final = {**FILES, "report.json": b"{}"}
    with pytest.raises(RecordRefused, match="too late"):
        store.write(final, expected=claim, message=message("done"))
    before = git(world.seed, "status", "--porcelain")
    bundle = store.keep_locally(final, expected=claim, message=message("done"))
    kept = git(world.seed, "rev-parse", REF)
    assert bundle.parent == world.seed / ".reconciler"
    assert git(world.seed, "status", "--porcelain") == before
    assert kept != claim

    snapshot = store.read()  # the remote counts, the kept end is pointed out and stays
    assert (snapshot.version, dict(snapshot.files)) == (claim, FILES)
    assert store.upload_command() in snapshot.notices[0]
    assert git(world.seed, "rev-parse", REF) == kept

    hook.unlink()
    git(world.seed, *shlex.split(store.upload_command())[1:])
    assert (store.read().version, dict(store.read().files), store.read().notices) == (kept, final, ())


@pytest.mark.parametrize("options", [(), ("--depth=1",), ("--filter=blob:none",)])
def test_a_bundle_delivers_the_record_from_another_machine(world: World, options: tuple[str, ...]) -> None:
    world.commit({"identities/b.yaml": "b: 1\n"})
    first = world.store(world.seed).write(FILES, expected=None, message=message())
    store = world.store(world.clone("job", *options))
    assert store.read().version == first
    claim = store.write(FILES, expected=first, message=message())
    bundle = store.keep_locally({"header.json": b"2"}, expected=claim, message=message("done"))
    other = world.clone("other")
    assert world.store(other).read().version == claim
    git(other, "fetch", "-q", str(bundle), f"+{REF}:{REF}")
    git(other, *shlex.split(store.upload_command())[1:])
    assert dict(world.store(other).read().files) == {"header.json": b"2"}


def test_a_kept_record_gives_way_once_somebody_else_has_applied(world: World) -> None:
    store, other = world.store(world.seed), world.store(world.clone("other"))
    claim = store.write(FILES, expected=None, message=message())
    store.keep_locally({"header.json": b"2"}, expected=claim, message=message("done"))
    other.read()
    later = other.write({"header.json": b"3"}, expected=claim, message=message("done"))
    snapshot = store.read()
    assert (snapshot.version, snapshot.notices) == (later, ())
    assert git(world.seed, "rev-parse", REF) == later


def test_a_kept_record_needs_a_place(world: World) -> None:
    store = world.store(world.seed)
    claim = store.write(FILES, expected=None, message=message())
    (world.seed / ".reconciler").write_text("a file")
    with pytest.raises(RecordError, match=r"only; no bundle in .*\nto upload it: git push origin"):
        store.keep_locally(FILES, expected=claim, message=message("done"))


def test_a_silent_remote(world: World) -> None:
    store = world.store(world.seed)
    version = store.write(FILES, expected=None, message=message())
    world.hide_origin()
    snapshot = store.read()
    assert (snapshot.version, dict(snapshot.files), snapshot.as_of_local) == (version, FILES, True)
    assert "record as of 20" in snapshot.notices[0]
    assert "may be old" in snapshot.notices[0]
    with pytest.raises(RecordUnreachable) as caught:
        store.write({}, expected=version, message=message())
    assert caught.value.lines
    world.show_origin()
    assert world.tip() == version
    assert git(world.seed, "rev-parse", REF) == version


def test_a_silent_remote_and_no_copy(world: World) -> None:
    world.hide_origin()
    snapshot = world.store(world.seed).read()
    assert (snapshot.version, snapshot.as_of_local, snapshot.lost_on_remote) == (None, True, False)
    assert "no copy" in snapshot.notices[0]


def test_a_remote_that_tells_its_tip_but_does_not_hand_it_out(world: World) -> None:
    world.store(world.clone("other")).write(FILES, expected=None, message=message())
    flag = world.folder / "asked"
    script = f'test -e {flag} && exit 1; touch {flag}; exec git-upload-pack "$@"'
    git(world.seed, "config", "remote.origin.uploadpack", str(executable(world.folder / "flaky", script)))
    snapshot = world.store(world.seed).read()
    assert (snapshot.version, snapshot.as_of_local) == (None, True)


def test_a_push_survives_a_short_outage(world: World) -> None:
    calls = world.folder / "calls"
    count = f"echo x >> {calls}; test $(wc -l < {calls}) -gt 4 || exit 1; "
    for setting, command in (("receivepack", "git-receive-pack"), ("uploadpack", "git-upload-pack")):
        script = executable(world.folder / setting, f'{count} exec {command} "$@"')
        git(world.seed, "config", f"remote.origin.{setting}", str(script))
    assert world.store(world.seed).write(FILES, expected=None, message=message()) == world.tip()


def test_a_push_whose_answer_is_lost_has_worked(world: World) -> None:
    # The server moves the ref and dies before it can say so.
    world.hook("reference-transaction", 'test "$1" = committed && kill -9 $PPID; exit 0')
    version = world.store(world.seed).write(FILES, expected=None, message=message())
    assert version == world.tip()


def test_a_deleted_record_with_a_local_copy(world: World) -> None:
    store = world.store(world.seed)
    version = store.write(FILES, expected=None, message=message())
    git(world.origin, "update-ref", "-d", REF)
    snapshot = store.read()
    assert (snapshot.version, dict(snapshot.files)) == (version, FILES)
    assert snapshot.lost_on_remote
    assert not snapshot.as_of_local
    assert "is gone" in snapshot.notices[0]

    fresh = world.store(world.clone("fresh")).read()  # no copy: nothing is missed
    assert (fresh.version, fresh.lost_on_remote, fresh.notices) == (None, False, ())

    git(world.seed, *shlex.split(store.upload_command())[1:])
    assert (store.read().version, store.read().lost_on_remote) == (version, False)


def test_a_new_record_in_place_of_a_deleted_one(world: World) -> None:
    store = world.store(world.seed)
    store.write(FILES, expected=None, message=message())
    git(world.origin, "update-ref", "-d", REF)
    version = store.write({"header.json": b"new"}, expected=None, message=message())
    snapshot = store.read()
    assert (snapshot.version, snapshot.lost_on_remote) == (version, False)
    assert git(world.origin, "rev-list", "--count", REF) == "1"


def test_a_locked_local_ref(world: World) -> None:
    store = world.store(world.seed, None)
    version = store.write(FILES, expected=None, message=message())
    lock = world.seed / ".git" / f"{REF}.lock"
    lock.touch()
    with pytest.raises(RecordError, match="does not move"):
        store.write(FILES, expected=version, message=message())
    pushing = world.store(world.seed)  # with a remote the local ref is a copy only: the write has worked
    pushed = pushing.write(FILES, expected=None, message=message())
    assert world.tip() == pushed
    lock.unlink()
    assert pushing.read().version == pushed


def test_pauses_come_between_the_tries(world: World) -> None:
    world.hide_origin()
    store = GitRecordStore(repository(world.seed), TARGET, "origin", pauses=(0.2, 0.3))
    started = time.monotonic()
    assert isinstance(_write_or_error(store, None), RecordUnreachable)
    assert time.monotonic() - started >= 0.5
    assert len(QUICK) == len(GitRecordStore(repository(world.seed), TARGET, "origin").pauses)
