"""Files, documents and lines in any order, rows and values in any order: the same plan."""

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Plan
from reconciler.planfile import digest
from reconciler.sandbox import Request
from reconciler.sandbox.messages import Response
from tests.cli.provider import Provider
from tests.properties.drawn_lines import declarations
from tests.properties.drawn_servers import populations
from tests.properties.effort import examples
from tests.properties.stage import staged


@pytest.mark.parametrize("organisation", ["rfc", "genesys"])
@examples(8)
@given(data=st.data())
def test_the_order_of_files_lines_and_rows_decides_nothing(organisation: str, data: st.DataObject) -> None:
    found = data.draw(populations(organisation, twins=True))
    before, said = data.draw(declarations(organisation)), data.draw(declarations(organisation, released=True))
    parts, places = data.draw(st.integers(2, 6)), data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=7))
    with staged(organisation, policy="") as stage:
        found.settle_in(stage.provider.service)
        stage.declare(before.files())
        stage.apply()
        stage.declare(said.files())
        plain = stage.plan().plan
        stage.declare(said.files(parts, places, backwards=True))
        for number in range(2):
            stage.provider.before = shuffling(stage.provider, Random(data.draw(st.integers(0, 2**16))))
            assert intent(stage.plan().plan) == intent(plain), f"shuffled the {number + 1}. time"


def intent(plan: Plan) -> object:
    """What a plan does and refuses, and in which order."""
    refused = sorted((each.code, str(each.address)) for each in plan.refused)
    return digest(plan), plan.operations, [(each.rule, each.digest) for each in plan.violations], refused


def shuffling(provider: Provider, random: Random) -> Callable[[Request], Response | None]:
    """The organisation's listings with rows, attributes and values in another order."""

    def answer(request: Request) -> Response | None:
        if request.method != "GET":
            return None
        true = provider.service.handle(request)
        if true.status != 200:
            return true
        body = json.dumps(shuffled(true.json(), random)).encode()
        return Response(status=200, headers=true.headers, body=body)

    return answer


def shuffled(document: object, random: Random) -> object:
    if isinstance(document, list):
        return random.sample([shuffled(each, random) for each in document], len(document))
    if isinstance(document, dict):
        names = random.sample(list(document), len(document))
        return {name: shuffled(document[name], random) for name in names}
    return document
