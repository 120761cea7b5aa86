"""Switches as data: read from settings, all of them tried, changed under way, and not kept."""

from __future__ import annotations

import itertools
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.sandbox import SandboxError, SandboxTransport, Switches, open_sandbox, read_switches
from tests.sandbox import test_sandbox_faults, test_sandbox_questions
from tests.sandbox.switch_world import World, from_settings, sandbox, values

TRIALS = test_sandbox_questions.TRIALS | test_sandbox_faults.TRIALS


def test_every_switch_is_tried_away_from_its_default() -> None:
    tried = {name for each in TRIALS.values() for settings, _ in each.answers for name in settings}
    assert {it.name for it in fields(Switches)} - tried == {"rate_scope", "external_id_per_client"}
    for name, each in TRIALS.items():
        outcomes = [repr(expected) for _, expected in each.answers]
        assert len(set(outcomes)) > 1, name


def test_switches_can_change_under_way() -> None:
    service = open_sandbox(None, "genesys")
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        world = World(client)
        world.person()
        service.switch(Switches(booleans_as_text=True))
        assert world.client.get("/Users").json()["Resources"][1]["active"] == "True"
        service.switch(Switches())
        assert world.client.get("/Users").json()["Resources"][1]["active"] is True
    service.close()


def test_no_switches_are_the_defaults() -> None:
    assert read_switches({}) == Switches()
    assert read_switches({"rateLimit": None, "pageCap": None}) == Switches()


BAD: list[tuple[dict[Any, Any], str]] = [
    ({"conflicts": 400}, r"'conflicts' is none \(did you mean conflict\?\)"),
    ({"put_keeps_omitted": True}, "did you mean putKeepsOmitted"),
    ({"zzz": 1}, "'zzz' is none;|'zzz' is none"),
    ({"conflict": 418}, "conflict must be one of 400, 409, 412, not 418"),
    ({"restore": "yes"}, "restore must be true or false, not 'yes'"),
    ({"restore": 1}, "restore must be true or false"),
    ({"phoneForm": "sip"}, "phoneForm must be one of e164, tel, not 'sip'"),
    ({"phoneForm": None}, "phoneForm must be one of"),
    ({"phoneForm": ["tel"]}, "phoneForm must be one of"),
    ({"rateLimit": -1}, "rateLimit must be a whole number from 0, not -1"),
    ({"rateLimit": True}, "rateLimit must be a whole number"),
    ({"rateLimit": "60"}, "rateLimit must be a whole number"),
    ({"pageCap": 0}, "pageCap must be a whole number from 1"),
    ({"failures": None}, "failures must be a whole number"),
    ({"dropped": "title"}, "dropped must be a list of names"),
    ({"dropped": ["title", 5]}, "dropped must be a list of names"),
    ({"unsupported": ["bulk"]}, "unsupported must be a list of patch, etag, filter, sort"),
    ({"dropped": [], "conflict": 0, 5: 6}, "conflict must be .*; 5 is none"),
]


@pytest.mark.parametrize(("mapping", "message"), BAD)
def test_switches_that_cannot_be_used_are_named(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(SandboxError, match=message):
        read_switches(mapping)


def test_switches_are_not_kept(tmp_path: Path) -> None:
    service = open_sandbox(tmp_path, "genesys", switches=read_switches({"phoneForm": "tel"}))
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        path = f"/Users/{World(client).person(phoneNumbers=[{'type': 'work', 'value': '+442079460958'}])}"
        assert values(client.get(path).json(), "phoneNumbers") == ["tel:+442079460958"]
    service.close()
    service = open_sandbox(tmp_path, "genesys")
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox") as client:
        assert values(client.get(path).json(), "phoneNumbers") == ["+442079460958"]
    service.close()


def test_any_two_switches_go_together() -> None:
    """Every pair of settings in the table makes a service that founds itself and answers."""
    settings = [it for each in TRIALS.values() for it, _ in each.answers if it]
    for one, two in itertools.combinations(settings[:12], 2):
        with sandbox(from_settings({**one, **two})) as world:
            assert world.client.get("/ServiceProviderConfig").status_code == 200
