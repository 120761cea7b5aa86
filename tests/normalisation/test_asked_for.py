"""Through the command: what is declared under an unknown URN is asked for by name, where a server gives only that."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.normalisation.reading import ACME, BOB, Row
from tests.transport.serving import json_answer, loopback

ANN: Row = {"id": "u1", "userName": "ann@x.example", "displayName": "Ann", ACME.upper(): {"LEVEL": 4.0}}
TEXT = f"""\
users:
  ann: {{userName: ann@x.example, displayName: Ann, "{ACME}": {{level: LEVEL}}}}
  bob: {{userName: bob@x.example, displayName: Bob}}
"""


def answer(method: str, target: str, headers: Any, body: bytes) -> Any:
    """Lists Ann and Bob with nothing but the attributes that were asked for (RFC 7644 section 3.9)."""
    assert method == "GET"
    parts = urlsplit(target)
    if parts.path.lower() not in ("/users", "/groups"):
        return json_answer({"status": 404}, 404)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path.lower() == "/groups" or "filter" in asked:
        return json_answer({"totalResults": 0, "Resources": []})
    names = {each.partition(":level")[0].lower() for each in asked["attributes"].split(",")} | {"id"}
    rows = [{name: value for name, value in row.items() if name.lower() in names} for row in (ANN, BOB)]
    return json_answer({"totalResults": 2, "Resources": rows})


@pytest.mark.parametrize(("level", "code"), [("4", 0), ("5", 2)])
def test_a_declared_extension_is_read(level: str, code: int, folder: Any) -> None:
    folder.write("identities/people.yaml", TEXT.replace("LEVEL", level))
    with loopback(answer) as url:
        folder.write(
            "reconciler.yaml", f"targets: {{one: {{profile: genesys, url: '{url}/', auth: {{bearer: env:T}}}}}}"
        )
        done = folder.run("plan", "--detailed-exitcode", T="x")
    assert done.code == code, done.out + done.err
    assert ("level" in done.out) is (code == 2)
