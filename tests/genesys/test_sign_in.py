"""Signing in to an organisation: by variables that people have already, by settings; and what is said if it fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.profiles.loading import load_profile
from reconciler.sandbox import Access, Request
from reconciler.sandbox.messages import Response
from reconciler.settings import Auth, BearerAuth, ClientCredentialsAuth, SecretReference
from reconciler.settings.auth import usual_auth
from tests.genesys.company import V2, Company, company
from tests.genesys.life import BOB

WIRE = load_profile("genesys").wire
URL = "https://api.mypurecloud.de/api/v2/scim/v2"
LOGIN = "https://login.mypurecloud.de/oauth/token"
CLIENT = {"GENESYSCLOUD_OAUTHCLIENT_ID": "id", "GENESYSCLOUD_OAUTHCLIENT_SECRET": "s3cr3t"}
TOKEN = {"GENESYSCLOUD_ACCESS_TOKEN": "t1"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Company]:
    """An organisation that knows one client, with settings that name it."""
    with company(tmp_path, access=Access(client=("id", "s3cr3t"))) as org:
        org.settings(auth=client_auth(org))
        org.declare({"bob": BOB})
        yield org


def client_auth(org: Company, path: str = "/oauth/token") -> dict[str, Any]:
    return {
        "clientCredentials": {"clientId": "env:ID", "clientSecret": "env:SECRET", "tokenUrl": org.url + path},
    }


@pytest.mark.parametrize(
    ("environment", "auth"),
    [
        (TOKEN, BearerAuth(SecretReference("env", "GENESYSCLOUD_ACCESS_TOKEN"))),
        (
            CLIENT,
            ClientCredentialsAuth(
                SecretReference("env", "GENESYSCLOUD_OAUTHCLIENT_ID"),
                SecretReference("env", "GENESYSCLOUD_OAUTHCLIENT_SECRET"),
                LOGIN,
            ),
        ),
        (TOKEN | CLIENT, BearerAuth(SecretReference("env", "GENESYSCLOUD_ACCESS_TOKEN"))),
        ({"GENESYSCLOUD_OAUTHCLIENT_SECRET": "s3cr3t"}, None),
        ({}, None),
    ],
)
def test_the_variables_that_people_have_sign_in(environment: dict[str, str], auth: Auth | None) -> None:
    assert usual_auth(WIRE, URL, environment) == auth


def test_half_of_them_is_told_by_what_is_missing(org: Company) -> None:
    org.settings(url=None, region="eu-central-1")
    org.declare({"bob": BOB})
    ran = org.run("plan", GENESYSCLOUD_OAUTHCLIENT_ID="id")
    assert ran.code == 1
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET" in ran.err


@pytest.mark.parametrize("url", ["https://api.example.com/api/v2/scim/v2", "http://127.0.0.1:8080/api/v2/scim/v2"])
def test_they_go_to_the_hosts_of_the_provider_only(url: str) -> None:
    assert usual_auth(WIRE, url, TOKEN | CLIENT) is None


def test_the_region_may_come_from_its_variable(org: Company) -> None:
    org.declare({"bob": BOB})
    org.settings(url=None)
    ran = org.run("validate", GENESYSCLOUD_REGION="eu-central-1")
    assert (ran.code, ran.err) == (0, "")
    assert org.run("validate", GENESYSCLOUD_REGION="eu-central-9").code == 1
    assert "region" in org.run("validate").err


@pytest.mark.parametrize("region", sorted(WIRE.regions))
def test_every_region_has_its_own_host_for_tokens(region: str) -> None:
    url = f"https://api.{WIRE.regions[region]}/api/v2/scim/v2"
    found = usual_auth(WIRE, url, CLIENT)
    assert isinstance(found, ClientCredentialsAuth)
    assert found.token_url == f"https://login.{WIRE.regions[region]}/oauth/token"


def test_a_client_signs_in_and_one_token_serves_a_run(guarded: Company) -> None:
    ran = guarded.run("apply", "--auto-approve", ID="id", SECRET="s3cr3t")
    assert ran.code == 0
    assert [each.path for each in guarded.asked if each.path.endswith("token")] == ["/oauth/token"]
    assert len({each.headers["authorization"] for each in guarded.asked if not each.path.endswith("token")}) == 1


def test_a_token_that_ends_within_a_run_is_renewed_once(guarded: Company) -> None:
    seen: list[str] = []

    def withdrawn(request: Request) -> Response | None:
        seen.append(request.method)
        if request.method == "POST" and not request.target.endswith("token") and seen.count("REVOKED") == 0:
            seen.append("REVOKED")
            return Response(status=401, headers={}, body=b"")
        return None

    guarded.before = withdrawn
    assert guarded.run("apply", "--auto-approve", ID="id", SECRET="s3cr3t").code == 0
    assert len([each for each in guarded.asked if each.path.endswith("token")]) == 2
    assert guarded.stored("bob@example.com")["displayName"] == "Bob"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ID": "id", "SECRET": "wrong"}, "a client is known in its own region only"),
        ({"ID": "another", "SECRET": "s3cr3t"}, "check the client id, its secret and the token URL"),
        ({"ID": "id"}, "SECRET"),
    ],
)
def test_why_nobody_is_signed_in(guarded: Company, variables: dict[str, str], words: str) -> None:
    ran = guarded.run("plan", **variables)
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert words in said
    assert "s3cr3t" not in said
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("status", "error", "mend"),
    [
        (
            401,
            "invalid_client",
            "check the client id, its secret and the token URL; a client is known in its own region",
        ),
        (400, "unauthorized_client", "give it that grant type, and a role"),
        (403, "access_denied", "give the client a role"),
        (400, "unsupported_grant_type", "check the token URL"),
        (
            400,
            "something_new",
            "check the client id, its secret and the token URL; a client is known in its own region",
        ),
        (404, "", "check the client id, its secret and the token URL"),
    ],
)
def test_every_refusal_of_a_token_says_what_to_do(guarded: Company, status: int, error: str, mend: str) -> None:
    def refuse(request: Request) -> Response | None:
        if not request.target.endswith("/oauth/token"):
            return None
        body = json.dumps({"error": error, "description": "client not found", "error_description": "client not found"})
        return Response(status=status, headers={"ININ-Correlation-Id": "c-1"}, body=body.encode() if error else b"")

    guarded.before = refuse
    ran = guarded.run("plan", ID="id", SECRET="s3cr3t")
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert f"/oauth/token refused the client credentials: status {status} (" in said
    assert error in said
    assert "request c-1)" in said
    assert mend in said


@pytest.mark.parametrize(
    ("path", "right"), [("users", "directory:user:view"), ("groups", "directory:group:edit")], ids=["users", "groups"]
)
def test_a_client_without_roles_is_told_what_it_needs(guarded: Company, path: str, right: str) -> None:
    def no_roles(request: Request) -> Response | None:
        if not request.target.startswith(f"{V2}/{path}"):
            return None
        body = b'{"message": "You are not permitted.", "code": "not.authorized", "status": 403}'
        return Response(status=403, headers={"ININ-Correlation-Id": "c-1"}, body=body)

    guarded.before = no_roles
    ran = guarded.run("plan", ID="id", SECRET="s3cr3t")
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert "the credential lacks a right (403) (You are not permitted., request c-1)" in said
    assert f"it takes {right}; give the OAuth client a role, in the divisions concerned" in said
    rows = guarded.run("doctor", ID="id", SECRET="s3cr3t").out.splitlines()
    assert [each[:4] for each in rows if each[6:].startswith(path)] == ["fail"]


@pytest.mark.parametrize(("token", "code"), [("t1", 0), ("old", 1)])
def test_a_bearer_token(tmp_path: Path, token: str, code: int) -> None:
    with company(tmp_path, access=Access(token="t1")) as org:
        org.settings(auth={"bearer": "env:TOKEN"})
        org.declare({"bob": BOB})
        ran = org.run("plan", TOKEN=token)
        assert ran.code == code
        if code:
            assert "the credential is not accepted (401)" in ran.err
            assert "check the token, its expiry, and that it is for this host" in ran.err
        without = org.run("plan")
        assert (without.code, "TOKEN" in without.err) == (1, True)
        org.settings()
        assert "a credential is needed (401), and none was sent" in org.run("plan").err
