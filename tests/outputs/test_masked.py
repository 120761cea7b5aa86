"""`--mask personal`: nothing of anybody, declared or live, stands in any output; groups, roles, counts, places do."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.model import Diagnostic, Severity
from reconciler.profiles.loading import load_profile
from reconciler.rendering.masking import Mask
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from reconciler.schemas import schema
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, answer, provider

SYLLABLES = ("zor", "vik", "qua", "bly", "xen", "tul", "mog", "fyr", "jup", "wex")
FORMATS = ("text", "json", "markdown", "html", "sarif")


class Organisation:
    """People with names that occur nowhere else, so that a leak is seen."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.needles: set[str] = set()
        self.keys = [self.word() for _ in range(9)]
        self.groups = ["support", "leads"]

    def word(self) -> str:
        while True:
            word = "".join(self._random.choices(SYLLABLES, k=3)) + str(self._random.randrange(100, 999))
            if word not in self.needles:
                self.needles.add(word)
                return word

    def name(self) -> str:
        """What a person is called: with capitals, blanks, and letters beyond ASCII."""
        before = self._random.choice(["O'", "van ", ""])
        return f"{self.word().title()} {before}{self.word().title()}ğ"

    def phone(self) -> str:
        number = f"+44207946{self._random.randrange(1000, 9999)}"
        self.needles.add(number[-7:])
        return number

    def person(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = {"userName": f"{key}@{self.word()}.example", "displayName": self.name()}
        more = {
            "nickName": self.word,
            "name": lambda: {"givenName": self.word(), "familyName": self.word()},
            "emails": lambda: {"work": f"{self.word()}@mail.example"},
            "phoneNumbers": lambda: {"work": self.phone()},
            "employeeNumber": self.word,
            "externalId": self.word,
            "title": lambda: "Agent",
            "department": lambda: "Support",
            "manager": lambda: self._random.choice([each for each in self.keys if each < key] or [None]),
        }
        for name in self._random.sample(sorted(more), 6):
            value = more[name]()
            if value is not None:
                found[name] = value
        return found

    def declared(self, keys: list[str]) -> str:
        groups = {
            name: {"displayName": name.title(), "members": self._random.sample(keys, min(4, len(keys)))}
            for name in self.groups
        }
        return json.dumps({"users": {key: self.person(key) for key in keys}, "groups": groups}, ensure_ascii=False)

    def live(self) -> dict[str, Any]:
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"{self.word()}@{self.word()}.example",
            "displayName": self.name(),
            "nickName": self.word(),
            "emails": [{"type": "work", "value": f"{self.word()}@mail.example"}],
        }


def refusing(request: Request) -> Response | None:
    """Some requests are refused, and the refusal says back what was sent."""
    if request.method == "POST" and len(request.body) % 3 == 0:
        said = json.dumps({"status": "400", "detail": request.body.decode(), "scimType": "invalidValue"})
        return answer(400, said.encode())
    return None


def every_output(here: QuickFolder, running: Provider) -> Iterator[tuple[str, str]]:
    """What each command says, on both streams and to GitHub."""
    left = here.path / "left"

    def said(*arguments: str) -> tuple[str, str]:
        left.write_text("")
        told = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(left), "GITHUB_OUTPUT": str(left)}
        ran = here.run(*arguments, "--mask", "personal", **told)
        return " ".join(arguments), ran.out + ran.err + left.read_text()

    for form in FORMATS:
        yield said("plan", "--format", form, "--verbose")
    yield said("plan", "--out", "saved.json")
    for form in FORMATS[:4]:
        yield said("show", "saved.json", "--format", form)
        yield said("drift", "--format", form, "--verbose")
    for form in ("text", "json", "sarif"):
        yield said("validate", "--format", form)
    yield said("show", "saved.json", "--live")
    running.before = refusing
    yield said("apply", "--auto-approve", "--format", "json")
    running.before = lambda request: None
    yield said("apply", "--auto-approve", "--verbose")


def no_leak(outputs: Iterator[tuple[str, str]], organisation: Organisation) -> int:
    count = 0
    for command, output in outputs:
        folded = output.casefold()
        plain = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found.group(1), 16)), folded)
        leaked = sorted(each for each in organisation.needles if each.casefold() in folded + plain)
        assert not leaked, (
            f"{command}: {leaked} in\n"
            + "\n".join(each for each in output.splitlines() if any(one in each.casefold() for one in leaked))[:3000]
        )
        count += "person-0" in output
    return count


@pytest.mark.parametrize("seed", range(2))
def test_nothing_of_anybody_stands_in_any_output(seed: int, tmp_path: Path) -> None:
    organisation = Organisation(seed)
    with provider() as running:
        for _ in range(4):
            body = json.dumps(organisation.live()).encode()
            running.service.handle(Request(method="POST", target="/scim/v2/Users", headers={}, body=body))
        here = quick(tmp_path / "here")
        here.write("reconciler.yaml", running.settings(more="policy: {protect: [group.support]}\n"))
        here.write(f"identities/{organisation.keys[0]}.yaml", organisation.declared(organisation.keys))
        assert no_leak(every_output(here, running), organisation) > 5
        # others meddle, people leave, everybody's values change, and some lines are wrong
        for number, user in enumerate(running.service.dump()["User"]):
            if number % 2:
                change = {"op": "replace", "path": "displayName", "value": organisation.name()}
                patch = json.dumps(
                    {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
                )
                target = f"/scim/v2/Users/{user['id']}"
                running.service.handle(Request(method="PATCH", target=target, headers={}, body=patch.encode()))
        assert no_leak(every_output(here, running), organisation) > 5
        here.write(f"identities/{organisation.keys[0]}.yaml", organisation.declared(organisation.keys[:-2]))
        assert no_leak(every_output(here, running), organisation) > 5
        wrong = json.loads(organisation.declared(organisation.keys[:4]))
        first, second, third, fourth = wrong["users"].values()
        first |= {"manager": organisation.word(), "nickName": ""}
        second |= {"userName": fourth["userName"], "emails": {"work": organisation.word()}}
        third |= {"phoneNumbers": {"work": organisation.word()}, "badge": organisation.word()}
        wrong["groups"]["leads"]["members"].append(organisation.word())
        here.write(f"identities/{organisation.keys[0]}.yaml", json.dumps(wrong))
        no_leak(every_output(here, running), organisation)


def test_an_import_names_nobody(tmp_path: Path) -> None:
    organisation = Organisation(7)
    with provider() as running:
        for _ in range(4):
            body = json.dumps({**organisation.live(), "title": "line\nbreak"}).encode()
            running.service.handle(Request(method="POST", target="/scim/v2/Users", headers={}, body=body))
        here = quick(tmp_path / "here")
        here.write("reconciler.yaml", running.settings())
        here.write("identities/all.yaml", organisation.declared(organisation.keys[:2]))
        ran = here.run("import", "--mask", "personal", GITHUB_ACTIONS="true")
    no_leak(iter([("import", ran.out + ran.err)]), organisation)
    assert "5 users" in ran.out


def test_words_of_the_schema_are_nobodys(tmp_path: Path) -> None:
    """Somebody is called as a type of phone numbers is, another has several of that type: paths stay as they are."""
    many = {"phoneNumbers": [{"type": "work", "value": f"+44 20 7946 000{n}"} for n in range(2)]}
    with provider() as running:
        for name, more in (("ann", many), ("work", {})):
            user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"{name}@x.example", **more}
            body = json.dumps({**user, "displayName": name.title()}).encode()
            running.service.handle(Request(method="POST", target="/scim/v2/Users", headers={}, body=body))
        here = quick(tmp_path / "here")
        here.write("reconciler.yaml", running.settings())
        here.write("identities/all.yaml", "users: {work: {userName: work@x.example, displayName: Work}}\n")
        ran = here.run("import", "--mask", "personal")
    assert "user.person-001: phoneNumbers.work is left out: 2 values of type work" in ran.out + ran.err


def test_words_of_a_profile_are_nobodys_either() -> None:
    """What tells elements apart is what others have, too; what an element holds is hers."""
    mask = Mask()
    mask.known.describe(load_profile("genesys").users.table)
    mask.known.learn_user(("ann",), {"externalIds": [{"authority": "Payroll", "value": "zorvik"}]})
    assert mask.text("externalIds.Payroll of user.ann: zorvik") == "externalIds.Payroll of user.person-001: person-001"


PEOPLE = """\
users:
  ann.lee:
    userName: ann.lee@example.com
    displayName: Ann Lee
    title: Agent
    phoneNumbers: {work: "+442079460958"}
    roles: [Supervisor]
    manager: bob.li
  bob.li: {userName: bob.li@example.com, displayName: Bob Li}
groups:
  support: {displayName: Support, members: [ann.lee]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> QuickFolder:
    here = quick(tmp_path / "here")
    here.write("reconciler.yaml", "targets:\n  office: {profile: rfc, url: 'sandbox:'}\n")
    here.write("identities/all.yaml", PEOPLE)
    return here


def test_what_reviewers_need_stays(folder: QuickFolder) -> None:
    plain = json.loads(folder.run("plan", "--format", "json").out)
    masked = json.loads(folder.run("plan", "--format", "json", "--mask", "personal").out)
    Draft202012Validator(schema("plan")).validate(masked)
    assert masked["digest"] == plain["digest"]
    assert masked["masked"] == "personal"
    assert [each["source"]["line"] for each in masked["changes"]] == [
        each["source"]["line"] for each in plain["changes"]
    ]
    text = folder.run("plan", RECONCILER_MASK="personal").out
    for stays in ("group.support", "Supervisor", '"Agent"', "identities/all.yaml:2", "Plan: 3 to add", "Access: "):
        assert stays in text
    assert "manager = person-002" in re.sub(" +", " ", text)


def test_a_day_is_nobody(folder: QuickFolder) -> None:
    """Whose last day it is stands beside it; the day itself is what reviewers look for."""
    assert folder.run("apply", "--auto-approve").code == 0
    lines = "userName: bob.li@example.com, endsOn: 2199-01-31, timeZone: Europe/London,"
    folder.write("identities/all.yaml", PEOPLE.replace("userName: bob.li@example.com,", lines))
    text = folder.run("plan", "--mask", "personal").out
    assert "user.person-001: dates change: endsOn none -> 2199-01-31" in text


def test_one_person_is_one_number(folder: QuickFolder) -> None:
    """In the plan, in the block of access and among the members of a group."""
    text = folder.run("plan", "--mask", "personal").out
    assert "# user.person-001 will be created" in text
    assert re.search(r"members +\+ person-001", text)
    markdown = folder.run("plan", "--mask", "personal", "--format", "markdown").out
    assert re.search(r"`person-001` .*gains.*Support", markdown)


@pytest.mark.parametrize("first", ["bob.li", "BOB.LI@example.com"])
def test_who_is_named_by_key_and_by_login_is_one_person(first: str, folder: QuickFolder) -> None:
    """Wherever the lines stand that name her, and whichever comes first."""
    second = ({"bob.li", "BOB.LI@example.com"} - {first}).pop()
    lines = f"groups:\n  a: {{displayName: A, members: [{first}]}}\n  b: {{displayName: B, members: [{second}]}}\n"
    folder.write("identities/aa.yaml", lines)
    text = folder.run("plan", "--mask", "personal", "--verbose").out
    assert set(re.findall(r"members +\+ (person-\d+)", text)) == {"person-002", "person-001"}
    assert text.count("+ person-002") == 2


def test_a_name_that_two_share_makes_them_no_one_person() -> None:
    mask = Mask()
    mask.known.learn(("ann.lee",), ("Lee",))
    mask.known.learn(("lee",), ("Ann",))
    assert [mask.known.person(each) for each in ("ann.lee", "lee")] == ["person-001", "person-002"]
    assert mask.text("Lee") == "person-002"


def test_a_number_that_was_given_is_kept_when_two_turn_out_to_be_one() -> None:
    mask = Mask()
    mask.known.learn(("bob.li",))
    mask.known.learn(("bob@x.example",))
    mask.known.learn(("zed",))
    assert [mask.known.person(each) for each in ("zed", "bob@x.example")] == ["person-001", "person-002"]
    mask.known.learn(("bob.li", "bob@x.example"), resource_id="b")
    mask.known.learn((), ("Bob Li",), "b")
    assert {mask.known.person(each) for each in ("bob.li", "bob@x.example", "Bob Li")} == {"person-002"}


def test_a_masked_plan_is_for_reading_only(folder: QuickFolder) -> None:
    folder.write("plan.json", folder.run("plan", "--format", "json", "--mask", "personal").out)
    ran = folder.run("show", "plan.json")
    assert ran.code == 1
    assert "masked" in ran.err
    assert folder.run("plan", "--mask", "personal", "--out", "saved.json").code == 0
    assert "Ann Lee" in folder.run("show", "saved.json").out


def test_masks_end_with_the_command(folder: QuickFolder) -> None:
    folder.run("plan", "--mask", "personal")
    assert "Ann Lee" in folder.run("plan").out


def test_explain_and_misuse(folder: QuickFolder) -> None:
    for address in ("ann.lee", "ann.le", "user.ann.lee"):
        ran = folder.run("explain", address, "--mask", "personal")
        assert not re.search(r"(?i)ann[. ]lee\b|\+44|bob", ran.out + ran.err)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("409: userName is taken by zed@example.com.", "409: userName is taken by person-002."),
        ("user.ann.lee, user.ann.lee.", "user.person-001, user.person-001."),
        ("Ann Lee and ANN LEE (ann.lee)", "person-001 and person-001 (person-001)"),
        ("Annapolis, plan, ann", "Annapolis, plan, ann"),
        ('call +44 20 7946 0958 or "x y"', 'call (masked) or "(masked)"'),
        ('the group "Support" of person-001', 'the group "Support" of person-001'),
        ('says "it\\"s her"', 'says "(masked)"'),
        ("emails.work of user.work, Work, work@example.com", "emails.work of user.person-002, person-002, person-002"),
    ],
)
def test_prose(text: str, masked: str) -> None:
    mask = Mask()
    mask.known.learn(("work", "work@example.com"))
    mask.known.learn(("ann.lee", "ann.lee@example.com"), ("Ann Lee",))
    mask.known.keep(("Support",))
    mask.known.person("ann.lee")
    assert mask.text(text) == masked
    assert mask.text(masked) == masked


def test_a_value_that_is_quoted_once_stands_nowhere_in_the_message() -> None:
    problem = Diagnostic(
        severity=Severity.ERROR, code="x", summary='manager "Zed Kay"', mend="declare Zed Kay, or write {live: Zed Kay}"
    )
    masked = Mask().diagnostic(problem)
    assert (masked.summary, masked.mend) == ('manager "(masked)"', "declare (masked), or write {live: (masked)}")
