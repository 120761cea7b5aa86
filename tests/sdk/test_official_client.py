"""`reconciler sandbox` driven by Genesys Cloud's own Python library, and the tool beside it on the same organisation.

The library is large, so `make test-sdk` installs it into an environment of its own; elsewhere these tests are skipped.
"""

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.in_process import QuickFolder, quick

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sdk = pytest.importorskip("PureCloudPlatformClientV2", reason="the vendor's library: make test-sdk installs it")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEED = """\
divisions: [EMEA]
roles: [Agent, Supervisor]
skills: [Billing, Claims]
languages: [English, French]
groups:
  - {displayName: Support}
"""
SETTINGS = "targets:\n  office: {profile: genesys, url: 'sandbox:', sandbox: {seed: seed.yaml SWITCHES}}\n"
ENTERPRISE = "urnietfparamsscimschemasextensionenterprise2_0_user"
GENESYS_NAME = "genesys:purecloud"
GENESYS = "urnietfparamsscimschemasextensiongenesyspurecloud2_0_user"


class Office:
    """An organisation that runs as a process, a folder with declarations for it, and the library signed in to it."""

    def __init__(self, folder: QuickFolder, url: str) -> None:
        self.folder, self.url = folder, url
        settings = sdk.configuration
        settings.live_reload_config = False
        settings.host = url
        self.client = sdk.api_client.ApiClient().get_client_credentials_token("an-id", "a-secret")
        self.scim = sdk.SCIMApi(self.client)

    def create(self, name: str, **attributes: Any) -> Any:
        body = sdk.ScimV2CreateUser()
        body.user_name, body.display_name = f"{name}@example.com", name.title()
        for key, value in attributes.items():
            setattr(body, key, value)
        return self.scim.post_scim_v2_users(body)

    def patch(self, user_id: str, *operations: tuple[str, str, Any], **headers: str) -> Any:
        return self.scim.patch_scim_v2_user(user_id, patch(*operations), **headers)

    def users(self, **parameters: Any) -> dict[str, Any]:
        found = self.scim.get_scim_v2_users(**parameters)
        return {each.user_name: each for each in found.resources or ()}


def patch(*operations: tuple[str, str, Any]) -> Any:
    body = sdk.ScimV2PatchRequest()
    body.schemas, body.operations = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], []
    for op, path, value in operations:
        each = sdk.ScimV2PatchOperation()
        each.op, each.path, each.value = op, path, value
        body.operations.append(each)
    return body


@pytest.fixture
def switches() -> str:
    return ""


@pytest.fixture
def office(tmp_path: Path, switches: str) -> Iterator[Office]:
    folder = quick(tmp_path / "here")
    folder.write("seed.yaml", SEED)
    folder.write("reconciler.yaml", SETTINGS.replace(" SWITCHES", f", switches: {switches}" if switches else ""))
    command = [sys.executable, "-m", "reconciler", "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=folder.path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert address, said
            yield Office(folder, address[0])
        finally:
            process.terminate()


def refusal(status: int) -> Any:
    return pytest.raises(sdk.rest.ApiException, match=rf"\({status}\)|{status}")


def test_discovery(office: Office) -> None:
    config = office.scim.get_scim_v2_serviceproviderconfig()
    assert config.patch.supported
    assert not config.bulk.supported
    assert {each.id for each in office.scim.get_scim_v2_resourcetypes().resources} == {"User", "Group"}
    schemas = {each.id: each for each in office.scim.get_scim_v2_schemas().resources}
    one = office.scim.get_scim_v2_schema("urn:ietf:params:scim:schemas:core:2.0:User")
    assert {each.name for each in one.attributes} == {each.name for each in schemas[one.id].attributes}
    assert "userName" in {each.name for each in one.attributes}


def test_a_person_from_create_to_restore(office: Office) -> None:
    skills = sdk.ScimUserExtensions()
    skill = sdk.ScimUserRoutingSkill()
    skill.name, skill.proficiency = "Billing", 3.0
    skills.routing_skills = [skill]
    work = sdk.ScimV2EnterpriseUser()
    work.division, work.department = "EMEA", "Support"
    made = office.create("ann", title="Agent", **{ENTERPRISE: work, GENESYS: skills})
    found = office.scim.get_scim_v2_user(made.id)
    assert (found.user_name, found.title, found.active) == ("ann@example.com", "Agent", True)
    assert getattr(found, ENTERPRISE).division == "EMEA"
    assert [(each.name, each.proficiency) for each in getattr(found, GENESYS).routing_skills] == [("Billing", 3.0)]

    office.patch(made.id, ("replace", "title", "Lead"))
    assert office.scim.get_scim_v2_user(made.id).title == "Lead"

    whole = sdk.ScimV2User()
    whole.user_name, whole.display_name, whole.title = "ann.ng@example.com", "Ann Ng", "Head"
    assert office.scim.put_scim_v2_user(made.id, whole).user_name == "ann.ng@example.com"

    with refusal(409):
        office.create("ann.ng")
    office.scim.delete_scim_v2_user(made.id)
    with refusal(404):
        office.scim.get_scim_v2_user(made.id)
    back = office.create("ann.ng")
    assert back.id == made.id


def test_lists_have_pages_and_filters(office: Office) -> None:
    there = len(office.users())
    for number in range(30):
        office.create(f"p{number:02}", active=number != 7)
    total = there + 29
    page = office.scim.get_scim_v2_users(count=100)
    assert (page.total_results, page.items_per_page) == (total, 25)
    names: list[str] = []
    while len(names) < total:
        page = office.scim.get_scim_v2_users(start_index=len(names) + 1, count=10, attributes=["userName"])
        assert len(page.resources) == min(10, total - len(names))
        names += [each.user_name for each in page.resources]
    assert len(set(names)) == total
    assert len(office.users(count=100, attributes=["userName", "title"])) == total
    assert [*office.users(filter="active eq false")] == ["p07@example.com"]
    assert [*office.users(filter="userName eq p03@example.com")] == ["p03@example.com"]
    assert office.users(filter="userName eq nobody@example.com") == {}


def test_groups_are_read_and_filled_and_nothing_else(office: Office) -> None:
    ann = office.create("ann")
    (group,) = office.scim.get_scim_v2_groups("displayName eq Support").resources
    office.scim.patch_scim_v2_group(group.id, patch(("add", "members", [{"value": ann.id}])))
    assert [each.value for each in office.scim.get_scim_v2_group(group.id).members] == [ann.id]
    office.scim.patch_scim_v2_group(group.id, patch(("remove", f'members[value eq "{ann.id}"]', None)))
    assert not office.scim.get_scim_v2_group(group.id).members
    assert "post_scim_v2_groups" not in dir(office.scim)


@pytest.mark.parametrize("switches", ["{conflict: 400}", "{conflict: 409}", "{conflict: 412}"])
def test_versions(office: Office, switches: str) -> None:
    made = office.create("ann")
    first = office.scim.get_scim_v2_user(made.id).meta.version
    with refusal(304):
        office.scim.get_scim_v2_user(made.id, if_none_match=first)
    office.patch(made.id, ("replace", "title", "Lead"), if_match=first)
    with refusal(int(switches[-4:-1])):
        office.patch(made.id, ("replace", "title", "Head"), if_match=first)
    assert office.scim.get_scim_v2_user(made.id).title == "Lead"


@pytest.mark.parametrize("switches", ["{rateLimit: 5}"])
def test_a_budget_of_requests(office: Office) -> None:
    pool = office.client.get_http_client().rest_client.pool_manager
    pool.connection_pool_kw["retries"] = False  # else the library waits, and asks again by itself
    pool.clear()
    answered = 0
    with refusal(429) as refused:
        while answered < 10:
            office.users()
            answered += 1
    assert 2 <= answered <= 5
    assert int(refused.value.headers["retry-after"]) > 0


def declared(office: Office, text: str) -> None:
    office.folder.write("identities/people.yaml", text)


def test_the_tool_sees_what_the_library_made(office: Office) -> None:
    skills = sdk.ScimUserExtensions()
    language = sdk.ScimUserRoutingLanguage()
    language.name, language.proficiency = "French", 4.0
    skills.routing_languages = [language]
    office.create("ann", title="Agent", **{GENESYS: skills})
    declared(
        office,
        "users:\n  ann: {userName: ann@example.com, displayName: Ann, title: Agent, routingLanguages: {French: 4}}\n",
    )
    ran = office.folder.run("plan", "--detailed-exitcode")
    assert (ran.code, ran.out.count("No changes.")) == (0, 1), ran.out


def test_the_library_reads_what_the_tool_applied(office: Office) -> None:
    declared(
        office,
        """\
users:
  ann:
    userName: ann@example.com
    displayName: Ann
    title: Lead
    division: EMEA
    department: Support
    employeeNumber: "000142"
    phoneNumbers: {work: +13175550186;ext=12, mobile: +447700900123}
    roles: [Supervisor]
    routingSkills: {Claims: 2}
    manager: bob
    groups: [support]
  bob: {userName: bob@example.com, displayName: Bob}
groups:
  support: {displayName: Support}
""",
    )
    ran = office.folder.run("apply", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    extensions = (f"urn:ietf:params:scim:schemas:extension:{each}:2.0:User" for each in ("enterprise", GENESYS_NAME))
    everyone = office.users(attributes=["title", "roles", "phoneNumbers", *extensions])
    ann, bob = everyone["ann@example.com"], everyone["bob@example.com"]
    work = getattr(ann, ENTERPRISE)
    assert (ann.title, work.division, work.department, work.employee_number) == ("Lead", "EMEA", "Support", "000142")
    assert work.manager.value == bob.id
    assert {each.value for each in ann.roles} >= {"Supervisor"}
    assert sorted(each.type for each in ann.phone_numbers) == ["mobile", "work"]
    assert [(each.name, each.proficiency) for each in getattr(ann, GENESYS).routing_skills] == [("Claims", 2.0)]
    (group,) = office.scim.get_scim_v2_groups("displayName eq Support").resources
    assert [each.value for each in group.members] == [ann.id]
    office.patch(ann.id, ("replace", "title", "Head"))
    ran = office.folder.run("drift")
    assert ran.code == 2
    assert '"Head"' in ran.out
