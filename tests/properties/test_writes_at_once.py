"""However many writes are on their way at once: the same results, the same organisation, the same record."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Result, Skipped, Succeeded
from reconciler.sandbox import open_sandbox, serve
from tests.cli.provider import Provider
from tests.properties.drawn_lines import declarations
from tests.properties.drawn_servers import populations
from tests.properties.effort import examples
from tests.properties.stage import NO_LIMITS, Run, Stage, Trouble, Weather, pass_time_at_once, settings
from tests.properties.test_failures import WORDS, begin, by_name, empty
from tests.transport.serving import FakeTime


@contextmanager
def staged_at_once(organisation: str, at_once: int) -> Iterator[Stage]:
    """A fresh folder outside git, and a fresh organisation over HTTP."""
    service = open_sandbox(None, organisation)
    provider = Provider(service)
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        serve(provider) as server,  # type: ignore[arg-type]  # it has what a server needs: handle
    ):
        pass_time_at_once(patch, FakeTime())
        url = f"{server.url}{'/api/v2' if organisation == 'genesys' else ''}/scim/v2"
        said = settings(organisation, NO_LIMITS, url, f", writesAtOnce: {at_once}")
        Path(folder, "reconciler.yaml").write_text(said, encoding="utf-8")
        yield Stage(Path(folder), provider)
    service.close()


@pytest.mark.parametrize("organisation", ["rfc", "rfc-strict", "genesys"])
@examples(8)
@given(data=st.data())
def test_it_ends_the_same_however_many_are_written_at_once(organisation: str, data: st.DataObject) -> None:
    found, first = data.draw(populations(organisation)), data.draw(declarations(organisation))
    then = data.draw(declarations(organisation, released=True))
    # a word that is refused: which request comes how many-th is not the same for both
    refused = data.draw(st.dictionaries(st.sampled_from(WORDS), st.just(Trouble.REFUSED), max_size=2))
    ends = []
    for at_once in (1, 4):
        with staged_at_once(organisation, at_once) as stage:
            begin(stage, found, first, then)
            applied = stage.apply(Run(weather=Weather(for_good=refused), accepted=empty(stage)))
            assert applied.outcome is not None
            assert not applied.outcome.troubles
            told = [(each.number, type(each), note(each)) for each in applied.results]
            ends.append((told, by_name(stage.stored()), recorded(stage)))
    assert ends[0] == ends[1]


def note(result: Result) -> object:
    return result.because if isinstance(result, Skipped) else isinstance(result, Succeeded) and bool(result.note)


def recorded(stage: Stage) -> object:
    """What the record says of everybody, with names in the place of ids and every list in one order."""
    copy: Any = stage.copied_record()
    lines = (line for path, content in copy.items() if path.suffix == ".jsonl" for line in content.splitlines())
    return sorted((named(json.loads(each), stage.names()) for each in lines), key=str)


def named(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        pairs = [(names.get(name, name), named(each, names)) for name, each in value.items()]
        return dict(sorted(pairs, key=lambda pair: pair[0]))
    if isinstance(value, list):
        return sorted((named(each, names) for each in value), key=str)
    return names.get(value, value) if isinstance(value, str) else value
