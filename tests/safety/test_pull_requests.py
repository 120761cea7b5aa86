"""What a pull request can and cannot bring: settings come from the base branch, declarations and acceptances from it.

CI checks out both side by side and runs `plan --settings base/reconciler.yaml --identities pr/identities`.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from reconciler.sandbox import Request
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, people, provider
from tests.conftest import Ran
from tests.git.company import TEAM, Company
from tests.record.conftest import _plain_git  # noqa: F401
from tests.record.git_world import REF, World, git
from tests.safety.rails import accept_all

STAFF = [*TEAM, *(f"p{number}" for number in range(8))]
ACME = "name: acme\ntitle: Acme\nwire: {pageSize: 3}\nusers: {neverRemoved: {roles: [employee]}}\n"
POLICY = "policy:\n  protect: [ann.lee@example.com]\n"


@dataclass(frozen=True)
class Review:
    """`top`: the folder of the job. In it `base` and `pr`, two clones; `evil`: a server of the author's own."""

    company: Company
    top: QuickFolder
    evil: Provider

    @property
    def pr(self) -> QuickFolder:
        return quick(self.top.path / "pr")

    def plan(self, *more: str) -> Ran:
        arguments = ("--settings", "base/reconciler.yaml", "--identities", "pr/identities")
        return self.top.run("plan", *arguments, *more)


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    with reviewed(tmp_path) as made:
        yield made


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Review]:
    """The same with a profile of its own, without which nobody's title would be listed."""
    with reviewed(tmp_path, ACME) as made:
        yield made


@contextmanager
def reviewed(path: Path, profile: str = "") -> Iterator[Review]:
    with Company.founded(World(path)) as company, provider() as evil:
        settings, own = company.running.settings(), {"profiles/acme.yaml": profile} if profile else {}
        if profile:
            settings = settings.replace("profile: rfc", "profile: profiles/acme.yaml")
        company.world.commit({"reconciler.yaml": settings + POLICY, "identities/a.yaml": people(*STAFF), **own})
        company.applied()
        for name in ("base", "pr"):
            company.world.clone(name)
        yield Review(company, quick(path), evil)


def test_nothing_changed_is_no_change(review: Review) -> None:
    ran = review.plan("--detailed-exitcode")
    assert ran.code == 0, ran.out + ran.err


def test_declarations_come_from_the_pull_request(review: Review) -> None:
    review.pr.write("identities/a.yaml", people(*STAFF, "new.one"))
    ran = review.plan()
    assert ran.code == 0
    assert "# user.new.one will be created" in ran.out
    assert "identities/a.yaml" in ran.out


def test_acceptances_come_with_it(review: Review) -> None:
    """They hold for the very items that reviewers see in the plan."""
    review.pr.write("identities/a.yaml", people(*STAFF[:4]))
    refused = review.plan()
    assert refused.code == 3
    assert "removals" in refused.out
    line = next(each.strip() for each in refused.out.split("\n") if each.strip().startswith("- {rule:"))
    review.pr.write("acceptances.yaml", line.replace("…", "Leeds closes") + "\n")
    assert review.plan().code == 0
    # the line does not stretch to one person more
    review.pr.write("identities/a.yaml", people(*STAFF[:3]))
    more = review.plan()
    assert more.code == 3
    assert "lifts nothing here" in more.out


def test_an_acceptance_outlives_everything_but_its_items(review: Review) -> None:
    """Another merge, a squash, other lines of the same pull request, clicks of others on the server."""
    company = review.company
    review.pr.write("identities/a.yaml", people(*STAFF[:4]))
    line = next(each.strip() for each in review.plan().out.split("\n") if each.strip().startswith("- {rule:"))
    review.pr.write("acceptances.yaml", line.replace("…", "Leeds closes") + "\n")
    assert review.plan().code == 0
    git(company.seed.path, "pull", "-q", "origin", "main")
    company.world.commit({"identities/a.yaml": people(*STAFF, bob_li="Lead"), "identities/b.yaml": people("new.one")})
    company.applied()
    git(review.top.path / "base", "pull", "-q", "origin", "main")
    git(review.pr.path, "add", "-A")
    git(review.pr.path, "commit", "-q", "-m", "Leeds closes")
    git(review.pr.path, "pull", "-q", "--no-rebase", "-X", "ours", "origin", "main")
    review.pr.write("identities/a.yaml", people(*STAFF[:4], bob_li="Lead", ann_lee="Director"))
    git(review.pr.path, "reset", "-q", "--soft", "origin/main")
    git(review.pr.path, "commit", "-q", "-a", "-m", "one commit of all")
    account = company.running.users()["bob.li@example.com"]
    patch = {"op": "replace", "path": "nickName", "value": "Bobby"}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [patch]}
    target = f"/scim/v2/Users/{account['id']}"
    company.running.service.handle(Request(method="PATCH", target=target, body=json.dumps(body).encode()))
    ran = review.plan()
    assert ran.code == 0, ran.out + ran.err
    assert "lifts nothing" not in ran.out
    assert '"Director"' in ran.out


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json", "sarif"])
def test_every_format_says_what_lifts_nothing_and_which_settings_would_change(form: str, review: Review) -> None:
    review.pr.write("reconciler.yaml", review.company.running.settings() + "policy: {limits: {removals: 100%}}\n")
    review.pr.write("acceptances.yaml", "- {rule: removals, digest: 00000000, reason: mine}\n")
    ran = review.plan("--format", form)
    assert ran.code == 0
    said = " ".join(ran.out.split())
    for words in ("policy.protect", "policy.limits", "after the merge", "removals@00000000", "lifts nothing here"):
        assert words in said


def test_acceptances_of_the_base_branch_count_for_its_own_declarations_only(review: Review) -> None:
    quick(review.top.path / "base").write("acceptances.yaml", "- this is\n not: read\n")
    assert review.plan().code == 0


# --- settings that come along


def test_a_change_of_settings_counts_after_the_merge_and_is_announced(review: Review) -> None:
    """The policy of the base branch stops what the branch of the author would allow."""
    lifted = review.company.running.settings() + "policy: {limits: {removals: 100%}}\n"
    review.pr.write("reconciler.yaml", lifted)
    review.pr.write("identities/a.yaml", people(*(each for each in STAFF if each != "ann.lee")))
    ran = review.plan()
    assert ran.code == 3
    assert "protect" in ran.out
    said = " ".join(ran.out.split())
    words = "the settings that come with the declarations change policy.protect, policy.limits, after the merge"
    assert words in said
    assert "100%" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targets: [\n", "cannot all be read, after the merge"),
        ("targets: {x: 1}\ntargets: {y: 2}\n", "cannot all be read, after the merge"),
        ("[]\n", "change everything, after the merge"),
        ("a: &a [x]\n" + "".join(f"k{n}: 1\n" for n in range(9)), "change targets, policy, a, k0 and 8 more"),
    ],
)
def test_settings_that_say_something_else(text: str, words: str, review: Review) -> None:
    review.pr.write("reconciler.yaml", text)
    ran = review.plan()
    assert ran.code == 0
    assert words in " ".join(ran.out.split())


def test_settings_that_mean_the_same_are_no_news(review: Review) -> None:
    path = review.pr.path / "reconciler.yaml"
    path.write_text("# a remark\n" + path.read_text())
    assert "after the merge" not in review.plan().out
    path.unlink()
    assert "after the merge" not in review.plan().out


def test_settings_that_are_a_link_are_not_followed(review: Review) -> None:
    (review.top.path / "private.yaml").write_text("SECRET: x\n")
    (review.pr.path / "reconciler.yaml").unlink()
    (review.pr.path / "reconciler.yaml").symlink_to(review.top.path / "private.yaml")
    ran = review.plan()
    assert ran.code == 0
    assert "are no plain file" in " ".join(ran.out.split())
    assert "SECRET" not in ran.out


def test_an_apply_goes_by_the_settings_that_were_merged(review: Review) -> None:
    seed = review.company.seed
    git(seed.path, "pull", "-q", "origin", "main")
    lifted = review.company.running.settings() + "policy: {limits: {removals: 100%}}\n"
    review.company.world.commit({"reconciler.yaml": lifted, "identities/a.yaml": people("bob.li", "p0")}, push=False)
    against = seed.run("plan", "--base", "origin/main")
    assert against.code == 0
    words = (
        "compared with origin/main, the settings change policy.protect, policy.limits; this plan goes by the new ones"
    )
    assert words in " ".join(against.out.split())
    assert seed.run("apply", "--auto-approve").code == 0
    assert review.company.active() & set(STAFF) == {"bob.li", "p0"}


# --- a profile that comes along


def test_a_change_of_a_profile_counts_after_the_merge_and_is_announced(directory: Review) -> None:
    directory.pr.write("profiles/acme.yaml", ACME.replace("3", "7") + "groups: {notStored: [members]}\n")
    directory.company.running.asked.clear()
    ran = directory.plan()
    assert ran.code == 0, ran.out + ran.err
    words = (
        "the lines of profiles/acme.yaml that come with the declarations change wire.pageSize, groups, after the merge"
    )
    assert words in " ".join(ran.out.split())
    pages = [each for each in directory.company.running.asked if each[1].endswith("/Users")]
    assert len(pages) > 2, "three rows a page, as the base branch has it"


def test_a_profile_that_means_the_same_is_no_news(directory: Review) -> None:
    path = directory.pr.path / "profiles" / "acme.yaml"
    path.write_text("# a remark\n" + path.read_text())
    assert "after the merge" not in directory.plan().out
    path.unlink()
    assert "after the merge" not in directory.plan().out


def test_another_profile_is_announced_by_the_settings_that_name_it(directory: Review) -> None:
    settings = (directory.pr.path / "reconciler.yaml").read_text()
    directory.pr.write("reconciler.yaml", settings.replace("acme.yaml", "mine.yaml"))
    directory.pr.write("profiles/mine.yaml", "name: mine\ntitle: Mine\n")
    ran = directory.plan()
    assert ran.code == 0, ran.out + ran.err
    assert "the settings that come with the declarations change targets.prod.profile" in " ".join(ran.out.split())


@pytest.mark.parametrize("kind", ["link", "link to a folder", "device", "without end", "folder"])
def test_a_profile_that_is_no_plain_file_is_not_read(kind: str, directory: Review) -> None:
    file = directory.pr.path / "profiles" / "acme.yaml"
    file.unlink()
    (directory.top.path / "private").mkdir()
    (directory.top.path / "private" / "acme.yaml").write_text("SECRET: x\n")
    match kind:
        case "link":
            file.symlink_to(directory.top.path / "private" / "acme.yaml")
        case "link to a folder":
            file.parent.rmdir()
            file.parent.symlink_to(directory.top.path / "private")
        case "device":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case _:
            with file.open("wb") as stream:
                stream.truncate(100_000_000)
    began = monotonic()
    ran = directory.plan()
    assert ran.code == 0, ran.out + ran.err
    said = " ".join(ran.out.split())
    assert ("cannot all be read" if kind == "without end" else "are no plain file: nothing of them counts here") in said
    assert "SECRET" not in ran.out + ran.err
    assert monotonic() - began < 20


@pytest.mark.parametrize("folder", ["identities", "pr/identities", "../pr/profiles"])
def test_settings_name_no_profile_that_a_pull_request_brings(folder: str, directory: Review) -> None:
    """Not even the settings of the base branch can: a profile stands beside them."""
    base = quick(directory.top.path / "base")
    base.write("reconciler.yaml", (base.path / "reconciler.yaml").read_text().replace("profiles/", f"{folder}/"))
    ran = directory.plan()
    assert ran.code == 1
    assert "does not lie in profiles/, beside the settings file" in " ".join(ran.err.split())


# --- a hostile one


def other_url(review: Review) -> None:
    review.pr.write("reconciler.yaml", review.evil.settings())


def secret_of_the_runner(review: Review) -> None:
    auth = "    auth: {bearer: file:/etc/hostname}\n"
    review.pr.write("reconciler.yaml", review.evil.settings(auth=auth))


def lifted_policy(review: Review) -> None:
    lifted = "policy:\n  limits: {removals: 100%, memberRemovals: 100%, roleRemovals: 100%}\n  protect: []\n"
    review.pr.write("reconciler.yaml", review.company.running.settings() + lifted)


def settings_among_the_declarations(review: Review) -> None:
    review.pr.write("identities/reconciler.yaml", "policy: {protect: []}\n")


def acceptance_of_everything(review: Review) -> None:
    review.pr.write("acceptances.yaml", "- {rule: protect, digest: '*', reason: mine}\n")


def acceptance_of_another_digest(review: Review) -> None:
    review.pr.write("acceptances.yaml", "- {rule: protect, digest: 00000000, reason: mine}\n")


def acceptances_from_elsewhere(review: Review) -> None:
    (review.top.path / "elsewhere.yaml").write_text("- {rule: protect, digest: 00000000, reason: SECRET}\n")
    (review.pr.path / "acceptances.yaml").symlink_to(review.top.path / "elsewhere.yaml")


def link_out_of_the_folder(review: Review) -> None:
    (review.top.path / "private.yaml").write_text("users: {SECRET: {userName: SECRET@x.io}}\n")
    (review.pr.path / "identities" / "b.yaml").symlink_to(review.top.path / "private.yaml")


def folder_that_is_a_link(review: Review) -> None:
    (review.top.path / "private").mkdir()
    (review.top.path / "private" / "b.yaml").write_text("users: {SECRET: {userName: SECRET@x.io}}\n")
    (review.pr.path / "identities" / "a.yaml").unlink()
    (review.pr.path / "identities").rmdir()
    (review.pr.path / "identities").symlink_to(review.top.path / "private")


def device_for_a_file(review: Review) -> None:
    os.mkfifo(review.pr.path / "identities" / "b.yaml")


def hundred_megabytes(review: Review) -> None:
    with (review.pr.path / "identities" / "b.yaml").open("wb") as stream:
        stream.write(b"users:\n")
        stream.truncate(100_000_000)


def acceptances_without_end(review: Review) -> None:
    with (review.pr.path / "acceptances.yaml").open("wb") as stream:
        stream.write(b"- {rule: protect, digest: 00000000, reason: mine}\n")
        stream.truncate(100_000_000)


def settings_without_end(review: Review) -> None:
    with (review.pr.path / "reconciler.yaml").open("wb") as stream:
        stream.write(b"targets: {}\n")
        stream.truncate(100_000_000)


def acceptances_that_laugh(review: Review) -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    review.pr.write("acceptances.yaml", "\n".join(lines) + "\n")


def device_for_settings(review: Review) -> None:
    (review.pr.path / "reconciler.yaml").unlink()
    os.mkfifo(review.pr.path / "reconciler.yaml")


def device_for_acceptances(review: Review) -> None:
    os.mkfifo(review.pr.path / "acceptances.yaml")


def many_laughs(review: Review) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    review.pr.write("identities/b.yaml", "\n".join(lines) + "\n")


def deep_nesting(review: Review) -> None:
    review.pr.write("identities/b.yaml", "users: " + "[" * 100_000 + "]" * 100_000 + "\n")


def deep_nesting_by_indents(review: Review) -> None:
    review.pr.write("identities/b.yaml", "".join(f"{' ' * level}k:\n" for level in range(3_000)))


def record_in_its_own_clone(review: Review) -> None:
    """The author's clone says that nobody is ours; the clone whose settings count has the origin's record."""
    git(review.pr.path, "update-ref", REF, "HEAD")


def hooks_and_filters(review: Review) -> None:
    """What git would run in a work tree, if it were asked there."""
    review.pr.write(".gitattributes", "* filter=evil\n")
    touched = review.top.path / "touched"
    git(review.pr.path, "config", "filter.evil.clean", f"touch {touched}")
    git(review.pr.path, "config", "core.fsmonitor", f"touch {touched}")


HOSTILE: dict[Callable[[Review], None], tuple[int, str]] = {
    other_url: (3, "protect"),
    secret_of_the_runner: (3, "protect"),
    lifted_policy: (3, "protect"),
    settings_among_the_declarations: (1, "policy"),
    acceptance_of_everything: (1, "acceptances.yaml"),
    acceptance_of_another_digest: (3, "lifts nothing here"),
    acceptances_from_elsewhere: (1, "link-outside"),
    link_out_of_the_folder: (1, "link-outside"),
    folder_that_is_a_link: (64, "is a link that leads elsewhere"),
    device_for_a_file: (1, "not-a-file"),
    hundred_megabytes: (1, "file-too-large"),
    acceptances_without_end: (1, "file-too-large"),
    settings_without_end: (3, "cannot all be read"),
    acceptances_that_laugh: (1, "too-many-aliases"),
    device_for_settings: (3, "protect"),
    device_for_acceptances: (3, "protect"),
    many_laughs: (1, "too-many-aliases"),
    deep_nesting: (1, "nested"),
    deep_nesting_by_indents: (1, "nested"),
    record_in_its_own_clone: (3, "protect"),
    hooks_and_filters: (3, "protect"),
}


@pytest.mark.parametrize("attack", HOSTILE, ids=lambda each: each.__name__)
def test_a_hostile_pull_request(attack: Callable[[Review], None], review: Review) -> None:
    """Each comes with a removal that the policy of the base branch forbids."""
    review.company.running.asked.clear()
    review.pr.write("identities/a.yaml", people(*(each for each in STAFF if each != "ann.lee")))
    attack(review)
    code, words = HOSTILE[attack]
    began = monotonic()
    ran = review.plan()
    assert ran.code == code, ran.out + ran.err
    assert words in ran.out + ran.err
    assert "SECRET" not in ran.out + ran.err
    assert not review.evil.asked
    assert not review.company.running.writes
    assert bool(review.company.running.asked) is (code == 3)
    assert not (review.top.path / "touched").exists()
    assert monotonic() - began < 20
    assert threading.active_count() < 50


def test_a_forged_record_on_the_origin_removes_nobody(review: Review) -> None:
    """Who may open a pull request from a branch may also push the ref."""
    seed = review.company.world.seed
    git(seed, "fetch", "-q", "origin", f"+{REF}:{REF}")
    git(seed, "push", "-q", "origin", f":{REF}")
    git(seed, "push", "-q", "origin", f"HEAD:{REF}")
    ran = review.plan()
    assert ran.code == 0
    assert "an apply would stop" in " ".join(ran.out.split())
    assert "will be deactivated" not in ran.out


# --- acceptances that lift nothing


def test_an_acceptance_that_has_done_its_work_is_named(tmp_path: Path) -> None:
    with provider() as running:
        folder = quick(tmp_path)
        folder.write("reconciler.yaml", running.settings())
        folder.write("identities/a.yaml", people(*STAFF))
        assert folder.run("apply", "--auto-approve").code == 0
        folder.write("identities/a.yaml", people(*STAFF[:4]))
        accept_all(folder)
        planned = folder.run("plan")
        assert planned.code == 0
        assert "lifts nothing" not in planned.out
        assert folder.run("apply", "--auto-approve").code == 0
        after = folder.run("plan", "--detailed-exitcode")
        assert after.code == 0
        assert "lifts nothing here" in after.out
        assert "acceptances.yaml:1" in after.out


def test_a_line_cannot_accept_what_is_about_one_run(review: Review) -> None:
    """Uncommitted declarations would be applied for ever; who starts the run may accept them once."""
    seed = review.company.seed
    seed.write("acceptances.yaml", "[]\n")
    refused = seed.run("apply", "--auto-approve")
    digest = " ".join(refused.out.split()).partition("--accept dirty@")[2][:8]
    seed.write("acceptances.yaml", f"- {{rule: dirty, digest: {digest}, reason: always}}\n")
    again = seed.run("apply", "--auto-approve")
    assert again.code == 3
    assert f"the acceptance dirty@{digest} lifts nothing here" in " ".join(again.out.split())
    assert seed.run("apply", "--auto-approve", "--accept", f"dirty@{digest}").code == 0
