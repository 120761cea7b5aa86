"""A server that puts the credential it was given wherever somebody may read it: it gets into no output and no file."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.in_process import QuickFolder, quick
from tests.cli.provider import Provider, answer, people, provider
from tests.safety.left_as_it_is import live

TOKEN = "s3cr3t-t0ken-of-this-run"
FORMS = {
    "token": TOKEN,
    "header": f"Bearer {TOKEN}",
    "base64": base64.b64encode(f"reader:{TOKEN}".encode()).decode(),
}


@pytest.fixture(params=["bearer", "basic"])
def telling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[QuickFolder, Provider]]:
    """Refusals, values of people, headers and request ids quote what was sent to sign in."""
    bearer = request.param == "bearer"
    auth = "bearer: env:TOKEN" if bearer else "basic: {username: reader, password: env:TOKEN}"
    with provider() as running:

        def quoting(asked: Request) -> Response | None:
            said = asked.headers.get("Authorization") or asked.headers.get("authorization", "")
            secret = said.partition(" ")[2]
            if asked.method == "PATCH" or (asked.method == "POST" and b"cleo" in asked.body):
                refusal = {"status": "400", "scimType": "invalidValue", "detail": f"not with {said}, {secret}, {TOKEN}"}
                return replace(answer(400, json.dumps(refusal).encode()), headers={"X-Request-Id": secret})
            found = running.service.handle(asked)
            body = found.body.replace(b'"TITLE"', json.dumps(f"{said} {secret} {TOKEN}").encode())
            return replace(
                found, body=body, headers={**found.headers, "X-Request-Id": secret, "Location": f"/{secret}"}
            )

        running.before = quoting
        folder = quick(tmp_path / "here")
        folder.write("reconciler.yaml", running.settings(auth=f"    auth: {{{auth}}}\n"))
        folder.write("identities/a.yaml", people("ann", "bob", ann="TITLE", bob="Lead"))
        live(running, {"userName": "zed@example.com", "title": "TITLE"})
        yield folder, running


def test_a_credential_gets_into_no_output_and_no_file(telling: tuple[QuickFolder, Provider]) -> None:
    folder, running = telling
    outputs = [folder.run("apply", "--auto-approve", TOKEN=TOKEN)]
    assert outputs[0].code in (0, 5), outputs[0].out + outputs[0].err
    folder.write("identities/a.yaml", people("ann", "bob", "cleo", ann="TITLE2", bob="Boss"))
    outputs += [
        folder.run(*command.split(), TOKEN=TOKEN, GITHUB_ACTIONS="true")
        for command in (
            *(f"plan --verbose --format {form}" for form in ("text", "json", "markdown", "html", "sarif")),
            "plan --out saved.json",
            "show saved.json",
            "show saved.json --live",
            "drift --format json",
            "doctor",
            "import --out imported",
            "explain ann",
            "apply saved.json --auto-approve",
            "apply --auto-approve --drift --format json",
        )
    ]
    assert running.writes
    files = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    assert any("audit" in str(path) for path in files)
    for form in FORMS.values():
        assert not [each for each in outputs if form in each.out + each.err]
        assert not [path for path, content in files.items() if form.encode() in content]
    assert any("(secret)" in each.out + each.err for each in outputs)
