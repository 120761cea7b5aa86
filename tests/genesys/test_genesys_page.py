"""docs/genesys.md is true: settings and declarations are valid, commands work, its list of questions is whole."""

import re
from importlib import resources
from pathlib import Path

import pytest
import yaml

from reconciler.sandbox import Access
from tests.cli.in_process import quick
from tests.genesys.company import company
from tests.genesys.open_questions import OPEN

PAGE = (Path(__file__).parents[2] / "docs" / "genesys.md").read_text(encoding="utf-8")
PROFILE = yaml.safe_load(resources.files("reconciler.profiles").joinpath("genesys.yaml").read_text("utf-8"))
SETTINGS, DECLARED = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [each.split()[1:] for each in re.findall(r"^\$ (reconciler .*)$", PAGE, re.MULTILINE)]
SECRETS = {"GENESYSCLOUD_OAUTHCLIENT_ID": "id", "GENESYSCLOUD_OAUTHCLIENT_SECRET": "s3cr3t"}


def test_the_settings_are_valid_as_they_stand(tmp_path: Path) -> None:
    folder = quick(tmp_path)
    folder.write("reconciler.yaml", SETTINGS)
    folder.write("identities/people.yaml", DECLARED)
    ran = folder.run("validate")
    assert (ran.code, ran.err) == (0, "")
    assert "1 user and 1 group" in ran.out


def test_the_commands_lead_from_a_client_to_an_empty_plan(tmp_path: Path) -> None:
    with company(tmp_path, access=Access(client=("id", "s3cr3t"))) as org:
        (target,) = yaml.safe_load(SETTINGS)["targets"].values()
        client = target["auth"]["clientCredentials"] | {"tokenUrl": f"{org.url}/oauth/token"}
        org.settings(auth={"clientCredentials": client})
        (tmp_path / "identities").mkdir()
        (tmp_path / "identities" / "people.yaml").write_text(DECLARED, encoding="utf-8")
        ran = [org.run(*each, **SECRETS) for each in COMMANDS]
        assert [each.code for each in ran] == [0, 0, 0, 0, 0], ran
        assert "1 to add" in ran[2].out
        assert "No changes" in ran[4].out
        assert org.members("Support") == ["ann.lee@example.com"]


def test_the_list_of_what_is_to_be_confirmed_is_whole() -> None:
    listed = re.findall(
        r"^\| .* \| `(\w+)` \|$", PAGE.partition("## To confirm on a live organisation")[2], re.MULTILINE
    )
    assert sorted(listed) == sorted(OPEN)


@pytest.mark.parametrize(
    "right", sorted({r for each in PROFILE["wire"]["rights"].values() for r in each.split(" and ")})
)
def test_every_right_that_a_message_may_name_is_on_the_page(right: str) -> None:
    assert f"`{right}`" in PAGE.partition("**3. Settings**")[0]


@pytest.mark.parametrize("variable", sorted(PROFILE["wire"]["environment"].values()))
def test_every_variable_is_on_the_page(variable: str) -> None:
    assert f"`{variable}`" in PAGE


def test_what_the_page_says_of_limits_is_what_the_profile_has() -> None:
    wire, membership = PROFILE["wire"], PROFILE["membership"]
    assert f"{wire['requestsPerMinute']} requests a minute for a token" in PAGE
    assert f"{wire['maxBody']:,} bytes" in " ".join(PAGE.split())
    assert f"members are changed {membership['addMax']} at a time" in PAGE
    assert f"down to {wire['leastPageSize']} rows" in PAGE
