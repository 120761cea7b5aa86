"""What an administrator reads when a run cannot go on: one message, where it happened, what to check; and nothing done.

Each case is a mistake that somebody makes. It ends with 1 and leaves the server and the folder as they were.
"""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import people, prepared, provider
from tests.conftest import Ran
from tests.transport.serving import json_answer, loopback

SECRET = "s3cr3t-of-the-test"
HERE = "targets:\n  here: {profile: rfc, url: 'sandbox:'}\n"
BEARER = "    auth: {bearer: env:SCIM_TOKEN}\n"
PEM = Path(__file__).parents[1] / "transport" / "self_signed.pem"
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"

Handle = Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]]


# --- servers that cannot be worked with


def always(status: int, body: bytes, **headers: str) -> Handle:
    return lambda method, path, given, sent: (status, headers, body)


def a_user(resource_id: str) -> Handle:
    """A listing of one user, whose id is this."""
    return lambda method, path, given, sent: json_answer(
        {"totalResults": 1, "Resources": [{"id": resource_id, "userName": "ann@x.example"}]}
    )


def scim_error(status: int, detail: str) -> Handle:
    schema = "urn:ietf:params:scim:api:messages:2.0:Error"
    body = {"schemas": [schema], "status": str(status), "detail": detail}
    return lambda method, path, given, sent: json_answer(body, status)


@contextmanager
def hanging_up() -> Iterator[str]:
    """Takes connections and gives no answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@contextmanager
def self_signed() -> Iterator[str]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(PEM)
    with loopback(always(200, b"{}"), tls) as url:
        yield url


@contextmanager
def plain_under_https() -> Iterator[str]:
    with loopback(always(200, b"{}")) as url:
        yield url.replace("http://", "https://")


@contextmanager
def at(url: str) -> Iterator[str]:
    yield url


@contextmanager
def wanting_a_token() -> Iterator[str]:
    with provider(token="another") as running:
        yield running.url


@dataclass(frozen=True)
class Bad:
    """A server, and the words that the message has; `{url}` stands for where it is."""

    name: str
    server: Callable[[], AbstractContextManager[str]]
    says: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def told(name: str, handle: Handle, *says: str) -> Bad:
    return Bad(name, lambda: loopback(handle), says)


SERVERS = [
    Bad(
        "refused",
        lambda: at("http://127.0.0.1:1"),
        ("{url}/scim/v2/ServiceProviderConfig: connection refused", "host and port"),
    ),
    Bad(
        "no such name",
        lambda: at("https://scim.no-such-host.invalid"),
        ("the host name scim.no-such-host.invalid is not known", "the url of the target"),
    ),
    Bad("hangs up", hanging_up, ("{url}/scim/v2/ServiceProviderConfig: the connection broke", "try again")),
    Bad(
        "self-signed",
        self_signed,
        ("{url}/scim/v2/ServiceProviderConfig: the server's TLS certificate is not trusted", "SSL_CERT_FILE"),
    ),
    Bad("no TLS", plain_under_https, ("{url}/scim/v2/ServiceProviderConfig: no TLS connection", "speaks https")),
    Bad(
        "wrong token", wanting_a_token, ("{url}/scim/v2/Users: the credential is not accepted (401)", "check the token")
    ),
    told("missing right", scim_error(403, f"scope scim missing for {SECRET}"), "{url}/scim/v2/Users", "(403)", "right"),
    told("web page", always(200, PAGE), "{url}/scim/v2/Users", "a web page", "path in the url"),
    told("not JSON", always(200, b"hello"), "{url}/scim/v2/Users", "not JSON", "path in the url"),
    told("placeholder", a_user("bulkId:user.ann"), "a row of the listing has no usable id"),
    told("id without end", a_user("u" * 5000), "a row of the listing has no usable id"),
    told("other JSON", always(200, b'{"hello": 1}'), "{url}/scim/v2/Users", "not a SCIM"),
    told("JSON list", always(200, b"[]"), "{url}/scim/v2/Users", "not a SCIM"),
    told("no such path", scim_error(404, "no route"), "{url}/scim/v2/Users: nothing is there (404)", "path in the url"),
    told("no such page", always(404, PAGE), "{url}/scim/v2/Users", "(404)", "path in the url"),
    told("redirect", always(302, b"", Location="https://login.example.com/?next=1"), "redirects", "login.example.com"),
    told("internal error", scim_error(500, "oops"), "{url}/scim/v2/Users: the server answered 500 (oops)", "try again"),
]


SILENT = ("refused", "no such name", "hangs up")
"""They are asked again after a pause, so one command has to do for the test."""


@pytest.mark.parametrize(
    ("bad", "command"),
    [(each, "apply --auto-approve") for each in SERVERS]
    + [(each, "plan") for each in SERVERS if each.name not in SILENT],
    ids=str,
)
def test_a_server_that_cannot_be_worked_with(bad: Bad, command: str, tmp_path: Path) -> None:
    folder = quick(tmp_path / "here")
    folder.write("identities/all.yaml", people("ann.lee"))
    with ExitStack() as stack:
        url = stack.enter_context(bad.server())
        folder.write("reconciler.yaml", f"targets:\n  prod:\n    profile: rfc\n    url: {url}/scim/v2\n{BEARER}")
        before = contents(folder)
        ran = folder.run(*command.split(), SCIM_TOKEN=SECRET)
    one_message(ran, *(each.format(url=url) for each in bad.says))
    assert contents(folder) == before


# --- mistakes in the folder


def no_variable(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", f"targets:\n  prod:\n    profile: rfc\n    url: https://127.0.0.1:1\n{BEARER}")


def no_secret_file(folder: QuickFolder) -> None:
    auth = "    auth: {bearer: file:secrets/token}\n"
    folder.write("reconciler.yaml", f"targets:\n  prod:\n    profile: rfc\n    url: https://127.0.0.1:1\n{auth}")


def no_settings(folder: QuickFolder) -> None:
    (folder.path / "reconciler.yaml").unlink()


def settings_under_another_name(folder: QuickFolder) -> None:
    (folder.path / "reconciler.yaml").rename(folder.path / "reconciler.yml")


def no_yaml(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", HERE + "policy: {drift: report\n")


def inline_secret(folder: QuickFolder) -> None:
    folder.write(
        "reconciler.yaml", f"targets:\n  prod: {{profile: rfc, url: 'https://a.b', auth: {{bearer: {SECRET}}}}}\n"
    )


def no_identities(folder: QuickFolder) -> None:
    (folder.path / "identities/all.yaml").unlink()
    (folder.path / "identities").rmdir()


def no_seed(folder: QuickFolder) -> None:
    folder.write("reconciler.yaml", "targets:\n  here: {profile: rfc, url: 'sandbox:', sandbox: {seed: seed.yaml}}\n")


def bad_seed(folder: QuickFolder) -> None:
    no_seed(folder)
    folder.write("seed.yaml", "people: [ann]\n")


def seed_is_no_yaml(folder: QuickFolder) -> None:
    no_seed(folder)
    folder.write("seed.yaml", "users: [\n")


def data_is_a_file(folder: QuickFolder) -> None:
    folder.write(".reconciler", "")


FOLDERS = [
    (no_variable, ("the secret env:SCIM_TOKEN is not set", "SCIM_TOKEN")),
    (no_secret_file, ("the secret file:secrets/token cannot be read", "check the path")),
    (no_settings, ("there is no reconciler.yaml in {folder}", "--settings FILE")),
    (settings_under_another_name, ("{folder}/reconciler.yml", "rename it to reconciler.yaml")),
    (no_yaml, ("reconciler.yaml:3:", "error[yaml-syntax]", "mend: ")),
    (inline_secret, ("reconciler.yaml:2:", "error[inline-secret]", "env:NAME")),
    (no_identities, ("identities", "error[")),
    (no_seed, ('target "here": there is no seed file {folder}/seed.yaml', "sandbox: {{seed: FILE}}")),
    (bad_seed, ("a seed has no 'people'", "mend {folder}/seed.yaml")),
    (seed_is_no_yaml, ("{folder}/seed.yaml", "cannot be read")),
    (data_is_a_file, ("{folder}/.reconciler", "cannot be", "folder")),
]


@pytest.mark.parametrize("command", ["plan", "apply --auto-approve", "drift"])
@pytest.mark.parametrize(("mistake", "says"), FOLDERS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_mistake_in_the_folder(
    mistake: Callable[[QuickFolder], None], says: tuple[str, ...], command: str, tmp_path: Path
) -> None:
    folder = at_rest(tmp_path)
    mistake(folder)
    before = contents(folder)
    ran = folder.run(*command.split())
    one_message(ran, *(each.format(folder=folder.path) for each in says))
    assert {path: each for path, each in contents(folder).items() if ".reconciler/" not in path} == before


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = at_rest(tmp_path)
    (folder.path / ".reconciler").mkdir(mode=0o500)
    one_message(
        folder.run("apply", "--auto-approve"), f"{folder.path}/.reconciler cannot be written", "permission denied"
    )


# --- what an earlier run left is damaged


def record_file(folder: QuickFolder, name: str) -> Path:
    return next((folder.path / ".reconciler/record").glob(f"*/0*/{name}"))


def no_json(folder: QuickFolder) -> None:
    record_file(folder, "header.json").write_text("nope")


def lost_lines(folder: QuickFolder) -> None:
    for path in (folder.path / ".reconciler/record").glob("*/0*/users/*"):
        path.unlink()


def another_target(folder: QuickFolder) -> None:
    edit(record_file(folder, "header.json"), '"target": "prod"', '"target": "emea"')


def another_url(folder: QuickFolder) -> None:
    edit(folder.path / "reconciler.yaml", "127.0.0.1", "localhost")


def newer_format(folder: QuickFolder) -> None:
    edit(record_file(folder, "header.json"), '"format": 1', '"format": 99')


def current_is_damaged(folder: QuickFolder) -> None:
    (folder.path / ".reconciler/record/prod/current.json").write_text("{}")


RECORDS = [
    (
        no_json,
        (
            "the record cannot be read: header.json: not JSON",
            "kept in {folder}/.reconciler/record/prod (on this machine only); to begin a new one delete that folder",
        ),
    ),
    (lost_lines, ("cannot be read", "{folder}/.reconciler/record/prod")),
    (another_target, ('belongs to target "emea", not to "prod"', "{folder}/.reconciler/record/prod")),
    (
        another_url,
        (
            "another url",
            "kept in {folder}/.reconciler/record/prod (on this machine only); to begin a new one delete that folder",
        ),
    ),
    (newer_format, ("newer reconciler (format 99", "Install")),
    (current_is_damaged, ("{folder}/.reconciler/record/prod cannot be read", "put the folder back")),
]


@pytest.mark.parametrize(("damage", "says"), RECORDS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_record_that_cannot_be_used(
    damage: Callable[[QuickFolder], None], says: tuple[str, ...], tmp_path: Path
) -> None:
    with provider() as running:
        folder = prepared(quick(tmp_path / "here"), running, people("ann.lee"))
        assert folder.run("apply", "--auto-approve").code == 0
        damage(folder)
        folder.write("identities/all.yaml", people("ann.lee", "bob.li"))
        running.asked.clear()
        before = contents(folder)
        applied, planned = folder.run("apply", "--auto-approve"), folder.run("plan")
        one_message(applied, *(each.format(folder=folder.path) for each in says))
        assert not running.writes
        # a plan can do without, and says so
        assert planned.code == 0
        assert "an apply would stop" in " ".join(planned.out.split())
        assert contents(folder) == before


def no_database(data: Path) -> None:
    data.write_bytes(b"nope")


def is_a_folder(data: Path) -> None:
    data.unlink()
    data.mkdir()


def damaged_inside(data: Path) -> None:
    whole = data.read_bytes()
    data.write_bytes(whole[:4096] + b"x" * (len(whole) - 4096))


@pytest.mark.parametrize("damage", [no_database, is_a_folder, damaged_inside])
def test_an_embedded_organisation_that_cannot_be_used(damage: Callable[[Path], None], tmp_path: Path) -> None:
    folder = at_rest(tmp_path)
    assert folder.run("apply", "--auto-approve").code == 0
    data = folder.path / ".reconciler/sandbox/here/sandbox.sqlite3"
    for each in data.parent.glob("*-*"):
        each.unlink()
    damage(data)
    for command in ("plan", "apply --auto-approve", "drift", "sandbox --port 0"):
        ran = folder.run(*command.split())
        one_message(ran, 'target "here"', str(data.parent), "delete")


# --- what every message keeps to


def one_message(ran: Ran, *says: str) -> None:
    """One message on stderr that has these words, with something to do; no plan, no traceback, no secret."""
    assert ran.code == 1, ran.out + ran.err
    for each in says:
        assert each in ran.err, f"{each!r} is not in:\n{ran.err}"
    assert ran.err.count("error: ") + ran.err.count("error[") == 1, ran.err
    assert not ran.out
    assert SECRET not in ran.err
    assert "fault of reconciler" not in ran.err
    lines = ran.err.rstrip().splitlines()
    assert len(lines) > 1, "nothing says what to do"
    assert all(len(line) < 300 for line in lines)


def at_rest(tmp_path: Path) -> QuickFolder:
    folder = quick(tmp_path / "here")
    folder.write("reconciler.yaml", HERE)
    folder.write("identities/all.yaml", people("ann.lee"))
    return folder


def contents(folder: QuickFolder) -> dict[str, bytes]:
    files = (path for path in folder.path.rglob("*") if path.is_file())
    return {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in files}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
