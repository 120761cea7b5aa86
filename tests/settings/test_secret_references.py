"""Secrets are found where the reference points, and are in no message."""

import os
from pathlib import Path

import pytest

from reconciler.errors import SignInFailed
from reconciler.settings import SecretReference
from reconciler.transport.secrets import resolve_secret

HIDDEN = "hunter2-hunter2"


def from_env(monkeypatch: pytest.MonkeyPatch, value: str) -> str:
    monkeypatch.setenv("RECONCILER_TEST_SECRET", value)
    return resolve_secret(SecretReference("env", "RECONCILER_TEST_SECRET"), Path("/nowhere"))


@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (HIDDEN, HIDDEN),
        (f"{HIDDEN}\n", HIDDEN),
        (f"{HIDDEN}\r\n", HIDDEN),
        (f" {HIDDEN} ", f" {HIDDEN} "),
        ("pässwörd", "pässwörd"),
    ],
)
def test_one_trailing_newline_is_not_part_of_the_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raw: str, secret: str
) -> None:
    assert from_env(monkeypatch, raw) == secret
    (tmp_path / "token").write_bytes(raw.encode())
    assert resolve_secret(SecretReference("file", "token"), tmp_path) == secret


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (f"{HIDDEN}\n\n", "line break"),
        (f"{HIDDEN}\nX-Other: 1", "line break"),
        (f"{HIDDEN}\x1b[2J", "control character"),
    ],
)
def test_what_cannot_be_a_secret_is_refused_in_variable_and_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raw: str, what: str
) -> None:
    with pytest.raises(SignInFailed, match=what) as caught:
        from_env(monkeypatch, raw)
    assert_names_but_hides(caught.value, "env:RECONCILER_TEST_SECRET")
    (tmp_path / "token").write_bytes(raw.encode())
    with pytest.raises(SignInFailed, match=what) as caught:
        resolve_secret(SecretReference("file", "token"), tmp_path)
    assert_names_but_hides(caught.value, "file:token")


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_TEST_SECRET", raising=False)
    with pytest.raises(SignInFailed) as caught:
        resolve_secret(SecretReference("env", "RECONCILER_TEST_SECRET"), Path("/nowhere"))
    assert caught.value.summary == "the secret env:RECONCILER_TEST_SECRET is not set"
    assert "RECONCILER_TEST_SECRET" in caught.value.mend


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("missing", None, "no such file"),
        (".", None, "is a directory"),
        ("a\0b", None, "no possible path"),
        ("large", b"x" * 70000, "larger than"),
        ("latin", HIDDEN.encode() + b"\xe9", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SignInFailed, match=what) as caught:
        resolve_secret(SecretReference("file", name), tmp_path)
    assert_names_but_hides(caught.value, f"file:{name}")


def test_a_variable_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "RECONCILER_TEST_SECRET", HIDDEN + "\udce9")
    with pytest.raises(SignInFailed, match="not UTF-8") as caught:
        resolve_secret(SecretReference("env", "RECONCILER_TEST_SECRET"), Path("/nowhere"))
    assert_names_but_hides(caught.value, "env:RECONCILER_TEST_SECRET")


def test_an_absolute_path_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(HIDDEN)
    assert resolve_secret(SecretReference("file", str(tmp_path / "token")), Path("/nowhere")) == HIDDEN


def assert_names_but_hides(error: SignInFailed, name: str) -> None:
    assert name in error.summary
    assert "hunter2" not in f"{error.summary}{error.mend}{error!r}"
    assert error.__cause__ is None
    assert error.__suppress_context__
