"""`reconciler.yaml`: what a good file means, and the place of everything that is wrong with a bad one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InputError, UsageError
from reconciler.model import Limit, ListMode, Policy, Removal, SourceLocation
from reconciler.profiles.loading import load_profile
from reconciler.settings import BasicAuth, BearerAuth, ClientCredentialsAuth, SecretReference, Settings, Target
from reconciler.settings.loading import find_settings, load_settings
from reconciler.settings.urls import BadUrl, read_base_url, read_token_url

HIDDEN = "hunter2-hunter2"
ONE = "targets:\n  one:\n    profile: rfc\n    url: https://one.example.com/scim\n"
GENESYS = "targets:\n  one:\n    profile: genesys\n    region: eu-central-1\n"


def load(folder: Path, text: str) -> Settings:
    path = folder / "reconciler.yaml"
    path.write_bytes(text.encode())
    return load_settings(path)


def target(folder: Path, text: str) -> Target:
    return load(folder, text).targets["one"]


# --- good files


def test_a_small_file_has_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, ONE)
    assert settings == Settings(
        path=tmp_path / "reconciler.yaml",
        folder=tmp_path,
        default_target="one",
        targets={
            "one": Target(
                name="one",
                profile="rfc",
                url="https://one.example.com/scim",
                source=SourceLocation("reconciler.yaml", 2, 3),
            )
        },
    )
    assert settings.targets["one"].identities == ("identities",)
    assert settings.targets["one"].policy == Policy()


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """\
defaultTarget: two
record: {remote: upstream}
policy: {drift: correct}
targets:
  one:
    profile: genesys
    url: "sandbox:"
    identities: [identities/common/, ./identities/emea]
    timeZone: Europe/Berlin
    lists: {ENTITLEMENTS: authoritative, routingskills: additive}
    notStored: [datehire, phoneNumbers.primary, group.externalid]
    pageSize: 50
    writesAtOnce: 4
    sandbox: {seed: sandbox/seed.yaml}
  two:
    profile: rfc
    url: HTTPS://Two.Example.com:443/scim/
"""
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert [each.code for each in caught.value.diagnostics] == ["unknown-list"]  # this provider has no entitlements
    settings = load(tmp_path, text.replace("ENTITLEMENTS", "ROLES"))
    one, two = settings.targets["one"], settings.targets["two"]
    assert (settings.default_target, settings.record.remote) == ("two", "upstream")
    assert one.embedded
    assert one.identities == ("identities/common", "identities/emea")
    assert one.time_zone == "Europe/Berlin"
    assert one.modes == {"roles": ListMode.AUTHORITATIVE, "routingSkills": ListMode.ADDITIVE}
    assert one.not_stored == ("dateHire", "phoneNumbers.primary", "group.externalId")
    assert (one.page_size, one.sandbox_seed) == (50, "sandbox/seed.yaml")
    assert (one.writes_at_once, two.writes_at_once) == (4, 1)
    assert one.policy.drift_correct
    assert two.url == "https://two.example.com/scim"


POLICIES: list[tuple[str, str, Mapping[str, Any]]] = [
    ("", "", {}),
    ("removal: {users: delete}", "", {"removal_users": Removal.DELETE}),
    ("removal: {users: delete}", "removal: {groups: delete}",
     {"removal_users": Removal.DELETE, "removal_groups": Removal.DELETE}),
    ("removal: {users: delete}", "removal: {users: keep}", {"removal_users": Removal.KEEP}),
    ("drift: correct", "drift: report", {}),
    ("limits: {removals: 0}", "", {"removals": Limit(number=0)}),
    ("limits: {removals: 12}", "limits: {memberRemovals: 2.5%}",
     {"removals": Limit(number=12), "member_removals": Limit(share=0.025)}),
    ("limits: {roleRemovals: 100%}", "", {"role_removals": Limit(share=1.0)}),
    ('limits: {roleRemovals: "5%"}', "", {"role_removals": Limit(share=0.05)}),
    ("limits: {updates: 10%, creations: 50}", "limits: {updates: null}", {"creations": Limit(number=50)}),
    ("privileged: {roles: [Master Admin], groups: [administrators]}", "privileged: {roles: []}",
     {"privileged_groups": ("administrators",)}),
    ("protect: [a@example.com, group.administrators]", "", {"protect": ("a@example.com", "group.administrators")}),
    ("protect: [a@example.com]", "protect: [user.b]", {"protect": ("user.b",)}),
    ("minimum: {group.a: 2, group.b: 1}", "minimum: {group.a: 0}", {"minimum": {"group.a": 0, "group.b": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("top", "own", "expected"), POLICIES)
def test_a_targets_policy_replaces_the_top_one_key_by_key(
    tmp_path: Path, top: str, own: str, expected: Mapping[str, Any]
) -> None:
    policy = target(tmp_path, f"{ONE}    policy: {{{own}}}\npolicy: {{{top}}}\n").policy
    assert policy == Policy(**expected, sources=policy.sources)


def test_policy_remembers_where_each_key_stands(tmp_path: Path) -> None:
    text = f"""{ONE}    policy:
      limits: {{removals: 1}}
      minimum: {{group.a: 1}}
policy:
  limits: {{removals: 2, updates: 3}}
  removal: {{users: keep}}
  drift: report
  protect: [a]
  privileged: {{groups: [b]}}
"""
    sources = target(tmp_path, text).policy.sources
    assert {key: (each.line, each.column) for key, each in sources.items()} == {
        "limits.removals": (6, 26),
        "minimum": (7, 7),
        "minimum.group.a": (7, 26),
        "limits.updates": (9, 34),
        "removal.users": (10, 20),
        "drift": (11, 10),
        "protect": (12, 3),
        "privileged.groups": (13, 16),
    }


LOGIN_DE = "https://login.mypurecloud.de/oauth/token"
AUTHS: list[tuple[str, str, Any]] = [
    (ONE, "bearer: env:TOKEN", BearerAuth(SecretReference("env", "TOKEN"))),
    (ONE, "bearer: file:/run/secrets/a b", BearerAuth(SecretReference("file", "/run/secrets/a b"))),
    (ONE, "basic: {username: ann, password: env:P}", BasicAuth("ann", SecretReference("env", "P"))),
    (ONE, "basic: {username: env:U, password: file:p}",
     BasicAuth(SecretReference("env", "U"), SecretReference("file", "p"))),
    (GENESYS, "clientCredentials: {clientId: 0042, clientSecret: env:S}",
     ClientCredentialsAuth("0042", SecretReference("env", "S"), LOGIN_DE)),
    (GENESYS.replace("region: eu-central-1", "url: https://API.mypurecloud.de/api/v2/scim/"),
     "clientCredentials: {clientId: env:ID, clientSecret: env:S, scope: scim}",
     ClientCredentialsAuth(SecretReference("env", "ID"), SecretReference("env", "S"), LOGIN_DE, "scim")),
    (ONE, "clientCredentials: {clientId: a, clientSecret: env:S, tokenUrl: https://Login.example.com/token?tenant=1}",
     ClientCredentialsAuth("a", SecretReference("env", "S"), "https://login.example.com/token?tenant=1")),
    (ONE, "clientCredentials: {clientId: a, clientSecret: env:S, tokenUrl: http://127.0.0.1:8080/token}",
     ClientCredentialsAuth("a", SecretReference("env", "S"), "http://127.0.0.1:8080/token")),
]  # fmt: skip


@pytest.mark.parametrize(("start", "auth", "expected"), AUTHS)
def test_auth_is_read(tmp_path: Path, start: str, auth: str, expected: Any) -> None:
    assert target(tmp_path, f"{start}    auth:\n      {auth}\n").auth == expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("TITLE", "title"),
        ("name.givenName", "name.givenName"),
        ("'emails[type eq \"work\"].display'", 'emails[type eq "work"].display'),
        ("'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'",
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"),
        ("manager", "manager"),
        ("group.externalId", "group.externalId"),
    ],
)  # fmt: skip
def test_what_is_not_stored_is_a_name_or_a_path(tmp_path: Path, written: str, read: str) -> None:
    assert target(tmp_path, f"{ONE}    notStored: [{written}]\n").not_stored == (read,)


def test_a_region_stands_for_a_url(tmp_path: Path) -> None:
    regions = load_profile("genesys").wire.regions
    assert len(regions) == 18
    for region, domain in regions.items():
        text = GENESYS.replace("eu-central-1", region)
        auth = "    auth: {clientCredentials: {clientId: a, clientSecret: env:S}}\n"
        found = target(tmp_path, text + auth)
        assert found.url == f"https://api.{domain}/api/v2/scim/v2"
        assert isinstance(found.auth, ClientCredentialsAuth)
        assert found.auth.token_url == f"https://login.{domain}/oauth/token"


URLS: list[tuple[str, str | None]] = [
    ("https://example.com/scim/v2", "https://example.com/scim/v2"),
    ("https://EXAMPLE.com:443/SCIM//", "https://example.com/SCIM"),
    ("https://example.com:8443", "https://example.com:8443"),
    ("https://[2001:db8::1]/scim", "https://[2001:db8::1]/scim"),
    ("http://127.0.0.1:8080/scim", "http://127.0.0.1:8080/scim"),
    ("http://127.9.9.9", "http://127.9.9.9"),
    ("http://localhost:80/scim", "http://localhost/scim"),
    ("http://LocalHost/scim", "http://localhost/scim"),
    ("http://[::1]:8080/scim", "http://[::1]:8080/scim"),
    ("sandbox:", "sandbox:"),
    ("sandbox:other", None),
    ("http://example.com/scim", None),
    ("http://127.0.0.1.example.com/scim", None),
    ("http://localhost.example.com", None),
    ("http://127.1/scim", None),
    ("http://2130706433/scim", None),
    ("http://128.0.0.1/scim", None),
    ("http://0.0.0.0/scim", None),
    ("http://[::]/scim", None),
    ("ftp://example.com", None),
    ("example.com/scim", None),
    ("//example.com/scim", None),
    ("https:///scim", None),
    ("https://", None),
    ("https:example.com", None),
    ("https://user@example.com", None),
    (f"https://user:{HIDDEN}@example.com", None),
    ("http://localhost@example.com", None),
    ("https://@example.com", None),
    ("https://example.com\\@other.example.com", None),
    ("https://example.com/scim?tenant=1", None),
    ("https://example.com/scim?", None),
    ("https://example.com/scim#part", None),
    ("https://example.com:port", None),
    ("https://example.com:0", None),
    ("https://example.com:65536", None),
    ("https://[::1", None),
    ("https://example.com/a b", None),
    ("https://example.com/\x07", None),
    ("https://example.com/<tenant>/scim", None),
    ("https://api.{domain}/scim", None),
    ("https://exämple.com", None),
    ("javascript:alert(1)", None),
]


@pytest.mark.parametrize(("text", "expected"), URLS)
def test_urls(text: str, expected: str | None) -> None:
    found = read_base_url(text)
    if expected is None:
        assert isinstance(found, BadUrl)
        assert "hunter2" not in str(found)
    else:
        assert found == expected
        assert read_base_url(expected) == expected


@given(st.text(max_size=40) | st.from_regex(r"https?://[a-z.@:/\[\]#?%\\0-9]{0,30}", fullmatch=True))
def test_no_text_breaks_the_reading_of_urls(text: str) -> None:
    for read in (read_base_url, read_token_url):
        found = read(text)
        if isinstance(found, str) and found != "sandbox:":
            assert "@" not in urlsplit(found).netloc
            assert read(found) == found


# --- bad files


def after(start: str, *lines: str) -> str:
    """More keys of the target `one`."""
    return start + "".join(f"    {line}\n" for line in lines)


BAD: list[tuple[str, list[tuple[int, int, str]]]] = [
    # the file
    ("", [(1, 1, "wrong-type")]),
    ("[a]", [(1, 1, "wrong-type")]),
    ("text", [(1, 1, "wrong-type")]),
    (ONE + "---\n" + ONE, [(1, 1, "wrong-type")]),
    (ONE + "record: !x {}", [(5, 9, "tag")]),
    (ONE + "policy:\n", [(5, 1, "empty-value")]),
    (ONE + "targets: {}", [(5, 1, "repeated-key")]),
    (ONE + "polcy: {}", [(5, 1, "unknown-key")]),
    # targets
    ("defaultTarget: one", [(1, 1, "missing-key"), ]),
    ("targets: {}", [(1, 1, "nothing-in-it")]),
    ("targets: [one]", [(1, 10, "wrong-type")]),
    ("targets: {one: rfc}", [(1, 16, "wrong-type")]),
    (ONE.replace("one:", "One:"), [(2, 3, "bad-key")]),
    (ONE.replace("one:", "-one:"), [(2, 3, "bad-key")]),
    (ONE.replace("one:", f"{'x' * 42}:"), [(2, 3, "bad-key")]),
    (ONE.replace("one:", "one.two:"), [(2, 3, "bad-key")]),
    ("defaultTarget: on\n" + ONE, [(1, 16, "unknown-target")]),
    ("defaultTarget: [one]\n" + ONE, [(1, 16, "wrong-type")]),
    (ONE + ONE.replace("targets:\n", "").replace("one", "two"), [(1, 1, "no-default-target")]),
    (ONE.replace("    profile: rfc\n", ""), [(2, 3, "missing-key")]),
    (ONE.replace("rfc", "rcf"), [(3, 14, "wrong-value")]),
    (ONE.replace("rfc", "[rfc]"), [(3, 14, "wrong-type")]),
    (ONE.replace("profile: rfc", "profile:"), [(3, 5, "empty-value")]),
    (after(ONE, "profil: rfc"), [(5, 5, "unknown-key")]),
    # where it is
    (ONE.replace("    url: https://one.example.com/scim\n", ""), [(2, 3, "missing-key")]),
    (ONE.replace(" https://one.example.com/scim", ""), [(4, 5, "empty-value")]),
    (ONE.replace("https://one.example.com/scim", '""'), [(4, 10, "empty-text")]),
    (ONE.replace("https://one.example.com/scim", "null"), [(4, 10, "wrong-type")]),
    (ONE.replace("https:", "http:"), [(4, 10, "insecure-url")]),
    (ONE.replace("https:", "ldap:"), [(4, 10, "bad-url")]),
    (ONE.replace("one.ex", "u:p@one.ex"), [(4, 10, "user-in-url")]),
    (ONE.replace("/scim", "/scim?a=b"), [(4, 10, "bad-url")]),
    (ONE.replace("/scim", "/scim#a"), [(4, 10, "bad-url")]),
    (after(ONE, "region: eu-central-1"), [(5, 5, "url-and-region")]),
    (ONE.replace("url: https://one.example.com/scim", "region: eu-central-1"), [(4, 5, "no-regions")]),
    (GENESYS.replace("eu-central-1", "eu-centrl-1"), [(4, 13, "unknown-region")]),
    (GENESYS.replace("eu-central-1", "[eu-central-1]"), [(4, 13, "wrong-type")]),
    (after(ONE, "sandbox: {seed: seed.yaml}"), [(5, 5, "not-embedded")]),
    (after(ONE.replace("https://one.example.com/scim", '"sandbox:"'), "sandbox: {sead: s}"), [(5, 15, "unknown-key")]),
    # folders, time zone, lists, attributes, page size
    (after(ONE, "identities: identities"), [(5, 17, "wrong-type")]),
    (after(ONE, "identities: []"), [(5, 17, "nothing-in-it")]),
    (after(ONE, "identities: [a, true]"), [(5, 21, "wrong-type")]),
    (after(ONE, "identities: [../other]"), [(5, 18, "bad-folder")]),
    (after(ONE, "identities: [a/../../b]"), [(5, 18, "bad-folder")]),
    (after(ONE, "identities: [/etc]"), [(5, 18, "bad-folder")]),
    (after(ONE, "identities: [.]"), [(5, 18, "bad-folder")]),
    (after(ONE, r"identities: [a\b]"), [(5, 18, "bad-folder")]),
    (after(ONE, "identities: [out]"), [(5, 18, "bad-folder")]),
    (after(ONE, "identities: [a, b, a/]"), [(5, 24, "repeated-folder")]),
    (after(ONE, "identities: [a/b, a]"), [(5, 23, "repeated-folder")]),
    (after(ONE, "timeZone: Europe/Berlni"), [(5, 15, "unknown-time-zone")]),
    (after(ONE, "timeZone: ../zones"), [(5, 15, "unknown-time-zone")]),
    (after(ONE, "timeZone: localtime"), [(5, 15, "unknown-time-zone")]),
    (after(ONE, "timeZone: Europe"), [(5, 15, "unknown-time-zone")]),
    (after(ONE, "lists: {rolls: additive}"), [(5, 13, "unknown-list")]),
    (after(ONE, "lists: {emails: additive}"), [(5, 13, "unknown-list")]),
    (after(ONE, "lists: {members: additive}"), [(5, 13, "unknown-list")]),
    (after(ONE, "lists: {roles: additiv}"), [(5, 20, "wrong-value")]),
    (after(ONE, "lists: [roles]"), [(5, 12, "wrong-type")]),
    (after(ONE, "notStored: titel"), [(5, 16, "wrong-type")]),
    (after(ONE, "notStored: [titel]"), [(5, 17, "unknown-attribute")]),
    (after(ONE, "notStored: [emails.street]"), [(5, 17, "unknown-attribute")]),
    (after(ONE, "notStored: [group.title]"), [(5, 17, "unknown-attribute")]),
    (after(ONE, "notStored: [username]"), [(5, 17, "identifying")]),
    (after(ONE, "notStored: [title, group.displayName]"), [(5, 24, "identifying")]),
    (after(ONE, "pageSize: 0"), [(5, 15, "out-of-range")]),
    (after(ONE, "pageSize: 1.5"), [(5, 15, "wrong-type")]),
    (after(ONE, "pageSize: many"), [(5, 15, "wrong-type")]),
    (after(ONE, 'pageSize: "5"'), [(5, 15, "wrong-type")]),
    (after(ONE, "pageSize: 100000"), [(5, 15, "out-of-range")]),
    (after(ONE, "writesAtOnce: 0"), [(5, 19, "out-of-range")]),
    (after(ONE, "writesAtOnce: 17"), [(5, 19, "out-of-range")]),
    (after(ONE, "writesAtOnce: 2.5"), [(5, 19, "wrong-type")]),
    (after(ONE, "writesAtOnce: all"), [(5, 19, "wrong-type")]),
    # sign-in
    (after(ONE, f"auth: {HIDDEN}"), [(5, 11, "inline-secret"), (5, 11, "wrong-type")]),
    (after(ONE, "auth: {}"), [(5, 5, "nothing-in-it")]),
    (after(ONE, f"auth: {{bearer: {HIDDEN}}}"), [(5, 20, "inline-secret")]),
    (after(ONE, f'auth: {{bearer: "env:{HIDDEN}"}}'), [(5, 20, "bad-reference")]),
    (after(ONE, "auth: {bearer: 'file:'}"), [(5, 20, "bad-reference")]),
    (after(ONE, "auth: {bearer: null}"), [(5, 20, "wrong-type")]),
    (after(ONE, f"auth: {{bearer: {{token: {HIDDEN}}}}}"), [(5, 20, "wrong-type"), (5, 28, "inline-secret")]),
    (after(ONE, f"auth: {{bearer: [{HIDDEN}]}}"), [(5, 20, "wrong-type"), (5, 21, "inline-secret")]),
    (after(ONE, f"auth: {{berer: {HIDDEN}}}"), [(5, 12, "unknown-key"), (5, 19, "inline-secret")]),
    (after(ONE, f"auth: {{basic: 'ann:{HIDDEN}'}}"), [(5, 19, "inline-secret"), (5, 19, "wrong-type")]),
    (after(ONE, f"auth: {{basic: {{username: ann, password: {HIDDEN}}}}}"), [(5, 45, "inline-secret")]),
    (after(ONE, "auth: {basic: {username: ann}}"), [(5, 12, "missing-key")]),
    (after(ONE, "auth: {bearer: env:A, basic: {username: a, password: env:B}}"), [(5, 11, "wrong-form")]),
    (after(GENESYS, f"auth: {{clientCredentials: {{clientId: a, clientSecret: {HIDDEN}}}}}"),
     [(5, 59, "inline-secret")]),
    (after(GENESYS, "auth: {clientCredentials: {clientId: a}}"), [(5, 12, "missing-key")]),
    (after(GENESYS, f"auth: {{clientCredentials: {{clientId: [{HIDDEN}], clientSecret: env:S}}}}"),
     [(5, 42, "wrong-type"), (5, 43, "inline-secret")]),
    (after(ONE, "auth: {clientCredentials: {clientId: a, clientSecret: env:S}}"), [(5, 31, "no-token-url")]),
    (after(GENESYS.replace("region: eu-central-1", "url: https://api.example.com/scim"),
           "auth: {clientCredentials: {clientId: a, clientSecret: env:S}}"), [(5, 31, "no-token-url")]),
    (after(GENESYS, "auth: {clientCredentials: {clientId: a, clientSecret: env:S, tokenUrl: http://example.com}}"),
     [(5, 76, "insecure-url")]),
    (after(GENESYS, f"auth: {{clientCredentials: {{clientId: a, clientSecret: env:S, tokenUrl: 'https://a:{HIDDEN}@b'}}}}"),
     [(5, 76, "user-in-url")]),
    (after(GENESYS.replace("region:", "url:"), "auth: {clientCredentials: {clientId: a, clientSecret: env:S}}"),
     [(4, 10, "bad-url")]),
    # policy
    (ONE + "policy: {removel: {}}", [(5, 10, "unknown-key")]),
    (ONE + "policy: {removal: keep}", [(5, 19, "wrong-type")]),
    (ONE + "policy: {removal: {users: remove}}", [(5, 27, "wrong-value")]),
    (ONE + "policy: {removal: {groups: deactivate}}", [(5, 28, "wrong-value")]),
    (ONE + "policy: {drift: true}", [(5, 17, "wrong-value")]),
    (ONE + "policy: {limits: {removal: 5%}}", [(5, 19, "unknown-key")]),
    (ONE + "policy: {limits: {removals: 5 %}}", [(5, 29, "wrong-form")]),
    (ONE + "policy: {limits: {removals: 101%}}", [(5, 29, "wrong-form")]),
    (ONE + "policy: {limits: {removals: -1}}", [(5, 29, "out-of-range")]),
    (ONE + "policy: {limits: {removals: 2.5}}", [(5, 29, "wrong-type")]),
    (ONE + 'policy: {limits: {removals: "5"}}', [(5, 29, "wrong-form")]),
    (ONE + "policy: {limits: {removals: 0.0%}}", [(5, 29, "bad-limit")]),
    (ONE + "policy: {limits: {removals: null}}", [(5, 29, "wrong-type")]),
    (ONE + "policy: {limits: 5%}", [(5, 18, "wrong-type")]),
    (ONE + "policy: {protect: ann}", [(5, 19, "wrong-type")]),
    (ONE + "policy: {protect: [group.]}", [(5, 20, "bad-address")]),
    (ONE + "policy: {protect: [user.a b]}", [(5, 20, "bad-address")]),
    (ONE + "policy: {minimum: [group.a]}", [(5, 19, "wrong-type")]),
    (ONE + "policy: {minimum: {administrators: 2}}", [(5, 20, "bad-key")]),
    (ONE + "policy: {minimum: {group.a: two}}", [(5, 29, "wrong-type")]),
    (ONE + "policy: {minimum: {group.a: -1}}", [(5, 29, "out-of-range")]),
    (ONE + "policy: {privileged: [a]}", [(5, 22, "wrong-type")]),
    (ONE + "policy: {privileged: {groups: [group.a]}}", [(5, 32, "bad-address")]),
    (after(ONE, "policy: {limits: {removals: 0%}}"), [(5, 33, "bad-limit")]),
    # record
    (ONE + "record: {remote: --upload-pack=x}", [(5, 18, "wrong-form")]),
    (ONE + "record: {remotes: x}", [(5, 10, "unknown-key")]),
    # several at once, sorted by place
    ("defaultTarget: x\ntargets:\n  a: {profile: rcf, url: ftp://x, timeZone: Mars, auth: {bearer: x}}\n"
     "  b: {profile: rfc}\npolicy: {limits: {removals: 0%}}",
     [(1, 16, "unknown-target"), (3, 16, "wrong-value"), (3, 26, "bad-url"), (3, 45, "unknown-time-zone"),
      (3, 66, "inline-secret"), (4, 3, "missing-key"), (5, 29, "bad-limit")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD, ids=range(len(BAD)))
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, expected: list[tuple[int, int, str]]) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "out").symlink_to(tmp_path)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "settings", text)
    diagnostics = caught.value.diagnostics
    assert [(each.source.line, each.source.column, each.code) for each in diagnostics if each.source] == expected
    assert {each.source.path for each in diagnostics if each.source} == {"reconciler.yaml"}
    assert str(len(expected)) in caught.value.summary
    assert "hunter2" not in f"{caught.value!r}{diagnostics}"


def test_the_table_of_bad_files_is_long() -> None:
    assert len(BAD) >= 100


REGIONS = load_profile("genesys").wire.regions
MENDS: list[tuple[str, str]] = [
    (ONE + "polcy: {}", "did you mean policy?"),
    (ONE.replace("rfc", "rcf"), "did you mean rfc?"),
    ("defaultTarget: oen\n" + ONE, "did you mean one?"),
    (GENESYS.replace("eu-central-1", "eu-central1"), f"did you mean eu-central-1? known: {', '.join(sorted(REGIONS))}"),
    (GENESYS.replace("eu-central-1", "Frankfurt"), f"known: {', '.join(sorted(REGIONS))}"),
    (
        GENESYS.replace("eu-central-1", "mypurecloud.dee"),
        f"did you mean mypurecloud.de? known: {', '.join(sorted(REGIONS.values()))}",
    ),
    (ONE.replace("url: https://one.example.com/scim", "region: eu-central-1"), "write url: https://…"),
    (after(ONE, "timeZone: europe/Berlni"), "did you mean Europe/Berlin?"),
    (after(ONE, "lists: {rolls: additive}"), "did you mean roles?"),
    (after(ONE, "notStored: [group.externalID2]"), "did you mean group.externalId?"),
    (ONE.replace("https:", "http:"), "write https:// (http:// is for this machine alone: 127.0.0.1, [::1], localhost)"),
    (ONE + "policy: {limits: {removals: 0%}}", "write 0 to allow none"),
    (ONE + "policy: {privileged: {groups: [group.a]}}", "write a"),
]


@pytest.mark.parametrize(("text", "mend"), MENDS)
def test_a_mistake_is_told_with_its_mend(tmp_path: Path, text: str, mend: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert [each.mend for each in caught.value.diagnostics] == [mend]


def test_a_secret_in_an_anchor_is_found_and_hidden(tmp_path: Path) -> None:
    text = f"""targets:
  one: &base
    profile: rfc
    url: https://one.example.com
    auth: &auth {{bearer: {HIDDEN}}}
  two:
    <<: *base
    auth: *auth
defaultTarget: one
"""
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert [each.code for each in caught.value.diagnostics] == ["inline-secret"]
    assert "hunter2" not in f"{caught.value!r}{caught.value.diagnostics}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_settings(tmp_path / "reconciler.yaml")
    with pytest.raises(InputError, match="is a directory"):
        load_settings(tmp_path)


# --- finding the file


def test_settings_are_found_upwards(tmp_path: Path) -> None:
    below = tmp_path / "identities" / "emea"
    below.mkdir(parents=True)
    (tmp_path / "reconciler.yaml").write_text(ONE)
    assert find_settings(below, None) == tmp_path / "reconciler.yaml"
    (tmp_path / "identities" / "reconciler.yaml").write_text(ONE)
    assert find_settings(below, None) == tmp_path / "identities" / "reconciler.yaml"


def test_a_named_file_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.yaml").write_text(ONE)
    Path("reconciler.yaml").write_text(ONE)
    assert find_settings(tmp_path, Path("other.yaml")) == tmp_path / "other.yaml"


def test_a_named_file_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_settings(tmp_path, tmp_path)
    assert str(tmp_path / "reconciler.yaml") in caught.value.mend
    with pytest.raises(UsageError, match="there is no settings file"):
        find_settings(tmp_path, tmp_path / "missing.yaml")


def test_no_settings_anywhere(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_settings(tmp_path, None)
    assert "--settings FILE" in caught.value.mend
    (tmp_path / "reconciler.yml").write_text(ONE)
    with pytest.raises(InputError) as caught:
        find_settings(tmp_path, None)
    assert caught.value.mend == "rename it to reconciler.yaml"
