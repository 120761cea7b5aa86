"""Checking and resolving at once says and gives the same as one after the other."""

from pathlib import Path

import pytest

from reconciler.declarations import check_and_resolve, check_declarations, resolve
from reconciler.profiles.profile import RFC
from tests.declarations.declaring import HERE, TODAY, loaded

SOUND = """
templates:
  agent: {division: EMEA, groups: [crew]}
users:
  ann: {userName: ann@x.example, from: [agent], manager: ben, without: {groups: [nobody]}}
  ben: {userName: ben@x.example, endsOn: 2001-01-01}
  cleo: {userName: cleo@x.example, targets: [there]}
groups:
  crew: {displayName: Crew, members: [cleo, {user: ben, until: 2001-01-01}], memberRule: {title: Nobody}}
released: [zoe]
"""


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        SOUND.replace("manager: ben", "manager: bob"),
        SOUND.replace("[zoe]", "[zoe, ann]"),
        SOUND.replace("[there]", "[]"),
    ],
)
def test_the_same_as_one_after_the_other(tmp_path: Path, text: str) -> None:
    declarations = loaded(tmp_path, text)
    names = {"here", "there"}
    checked, state = check_and_resolve(declarations, HERE, RFC, TODAY, known_targets=names)
    assert checked == check_declarations(declarations, [(HERE, RFC)], known_targets=names)
    assert state == resolve(declarations, HERE, RFC, TODAY)
    assert checked
