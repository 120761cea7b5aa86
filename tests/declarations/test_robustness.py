"""Whatever stands in the files, there are diagnostics and never an exception; and large files stay quick."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler.declarations import check_declarations, load_declarations, resolve
from reconciler.model import Severity
from tests.declarations.declaring import GENESYS, HERE, RFC, THERE, TODAY, written

SCHEMA = json.loads((Path(reconciler.__file__).parents[1] / "schemas" / "identities.schema.json").read_text("utf-8"))
WORDS = sorted({name for node in SCHEMA["$defs"].values() for name in node.get("properties", {})})
TEXTS = ["a", "A", "b", "g", "h", "t", "here", "there", "work", "a@x.io", "2026-02-30", "2026-01-01", "5",
         "+447700900123", "Europe/Berlin", "additive", "", " ", "é", "e\u0301", "urn:x:y", "mobile",
         "x-pc:scimv2:v1"]  # fmt: skip
SCALARS = st.sampled_from([*TEXTS, None, True, False, 0, 5, 3.5, -1, 10**30])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*WORDS, *TEXTS[:-1]]).filter(bool), inner, max_size=3)
    ),
    max_leaves=6,
)
LINES = st.dictionaries(st.sampled_from([*WORDS, "urn:x:y", "password", "tilte"]), VALUES, max_size=5)
LIKELY = st.fixed_dictionaries(
    {"userName": st.sampled_from(["a@x.io", "b@x.io", "c@x.io"])},
    optional={
        "from": st.lists(st.sampled_from(["t", "T", "u"]), min_size=1, max_size=2),
        "groups": st.lists(st.sampled_from(["g", "h", "i"]), max_size=2) | st.none(),
        "roles": st.lists(st.sampled_from(["x", "y"]), max_size=2) | st.none(),
        "without": st.just({"roles": ["x"], "groups": ["g"]}),
        "manager": st.sampled_from(["a", "b", "c", "a@x.io", {"live": "l"}, None]),
        "emails": st.sampled_from([None, {}, {"work": "a@x.io"}, {"work": {"primary": True}}, {"work": None}]),
        "name": st.sampled_from([None, {"givenName": "x"}]),
        "overrides": st.fixed_dictionaries({"here": LINES}),
        "targets": st.sampled_from([["here"], ["there"]]),
        "startsOn": st.sampled_from(["2026-01-01", "2027-01-01", None]),
        "endsOn": st.sampled_from(["2026-06-01", None]),
        "active": st.sampled_from([True, None]),
        "formerly": st.just(["b"]),
    },
)
GROUP = st.fixed_dictionaries(
    {"displayName": st.sampled_from(["G", "H"])},
    optional={
        "members": st.lists(
            st.sampled_from(["a", "b", "z", {"user": "a", "until": "2026-01-01"}, {"group": "g"}, {"live": "l"}, {}]),
            max_size=3,
        ),
        "memberRule": st.sampled_from([{"template": "t"}, {"title": ["x", "y"]}, {"roles": "x"}, {"manager": "a"}]),
        "targets": st.sampled_from([["here"], ["there"]]),
        "membership": st.just("additive"),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "users": st.dictionaries(st.sampled_from(["a", "A", "b", "c", "a@x.io"]), LIKELY | LINES, max_size=4) | VALUES,
        "groups": st.dictionaries(st.sampled_from(["g", "G", "h"]), GROUP | LINES, max_size=3) | VALUES,
        "templates": st.dictionaries(st.sampled_from(["t", "T", "u"]), LINES, max_size=2) | VALUES,
        "released": st.lists(st.sampled_from(["a", "z", "group.g", "user.a"]), max_size=2) | VALUES,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=DOCUMENTS)
@pytest.mark.parametrize("profile", [RFC, GENESYS], ids=["rfc", "genesys"])
def test_any_document_gives_diagnostics_and_never_an_exception(tmp_path: Path, document: Any, profile: Any) -> None:
    written(tmp_path, json.dumps(document, ensure_ascii=False))
    declarations = load_declarations(tmp_path, ["identities"])
    found = (*declarations.diagnostics, *check_declarations(declarations, [(HERE, profile), (THERE, profile)]))
    assert len(found) == len(set(found))
    for each in found:
        assert each.source is not None
        assert each.source.line == 1
    state = resolve(declarations, HERE, profile, TODAY)
    if not [each for each in found if each.severity is Severity.ERROR]:
        for resource in state.resources.values():
            assert all(value is None or resource.origins[path] for path, value in resource.attributes.items())


def many(number: int) -> str:
    lines = []
    for n in range(number):
        manager = f"user{n // 20 + 1}" if n > 1 else "{live: boss@x.io}"
        lines.append(f"  user{n}: {{userName: u{n}@x.io, displayName: U {n}, title: Agent, manager: {manager},")
        lines.append(f'    emails: {{work: u{n}@x.io}}, roles: [A, B], phoneNumbers: {{mobile: "+447700{n:06d}"}}}}')
    return "users:\n" + "\n".join(lines)


def test_two_thousand_users_are_quick(tmp_path: Path) -> None:
    """About 0.4 ms a user is usual for everything; far more than that means a loop inside a loop."""
    written(tmp_path, many(2000))
    start = time.process_time()
    declarations = load_declarations(tmp_path, ["identities"])
    assert check_declarations(declarations, [(HERE, GENESYS)]) == ()
    assert len(resolve(declarations, HERE, GENESYS, TODAY).resources) == 2000
    assert time.process_time() - start < 60


@pytest.mark.parametrize(
    "text",
    [
        "groups:\n  g:\n    displayName: G\n    members:\n" + "".join(f"      - nobody{n}\n" for n in range(2000)),
        "users:\n" + "".join(f"  u{n}: {{titel: x}}\n" for n in range(2000)),
        "users:\n" + "".join(f"  u{n}: {{userName: u{n}@x.io, manager: u{(n + 1) % 2000}}}\n" for n in range(2000)),
        "users:\n" + "".join(f"  u{n}: {{userName: u{n}@x.io, from: [t{n}]}}\n" for n in range(2000)),
    ],
    ids=["unknown members", "misspelled keys", "one long manager cycle", "unknown templates"],
)
def test_thousands_of_mistakes_are_quick_too(tmp_path: Path, text: str) -> None:
    people = "---\nusers:\n" + "".join(f"  person{n}: {{userName: p{n}@x.io}}\n" for n in range(2000))
    written(tmp_path, text + people)
    start = time.process_time()
    declarations = load_declarations(tmp_path, ["identities"])
    checked = check_declarations(declarations, [(HERE, RFC)])
    assert len(declarations.diagnostics) + len(checked) >= 1
    assert time.process_time() - start < 60
