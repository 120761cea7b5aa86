"""What a service provider says of itself, and how much of it is believed."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.errors import Unreachable
from reconciler.profiles.loading import load_profile
from reconciler.profiles.profile import RFC, Paging, UserUpdate
from reconciler.transport.discovery import amended, discovered
from tests.transport.serving import answering, reader

CURSOR = {"cursor": True, "index": False, "defaultPaginationMethod": "cursor"}


@pytest.mark.parametrize(
    ("said", "update", "groups"),
    [
        ({"patch": {"supported": False}}, UserUpdate.PUT, False),
        ({"Patch": {"Supported": "false"}}, UserUpdate.PUT, False),
        ({"patch": {"supported": True}}, UserUpdate.PATCH_ELSE_PUT, True),
        ({"patch": {}}, UserUpdate.PATCH_ELSE_PUT, True),
        ({"patch": False}, UserUpdate.PATCH_ELSE_PUT, True),
        ({}, UserUpdate.PATCH_ELSE_PUT, True),
    ],
)
def test_only_a_plain_no_is_taken_for_one(said: dict[str, Any], update: UserUpdate, groups: bool) -> None:
    lifecycle = amended(RFC, said).lifecycle
    assert (lifecycle.user_update, lifecycle.group_update) == (update, groups)


@pytest.mark.parametrize(
    ("pagination", "paging", "size"),
    [
        (CURSOR, Paging.CURSOR, 100),
        ({**CURSOR, "index": True}, Paging.CURSOR, 100),
        ({**CURSOR, "index": True, "defaultPaginationMethod": "index"}, Paging.INDEX, 100),
        ({**CURSOR, "cursor": False}, Paging.INDEX, 100),
        ({"cursor": True}, Paging.INDEX, 100),
        ({"cursor": True, "index": False}, Paging.CURSOR, 100),
        ({"maxPageSize": 50}, Paging.INDEX, 50),
        ({"maxPageSize": 500}, Paging.INDEX, 100),
        ({"maxPageSize": 0}, Paging.INDEX, 100),
        ({"maxPageSize": "many"}, Paging.INDEX, 100),
        (None, Paging.INDEX, 100),
        ("cursor", Paging.INDEX, 100),
    ],
)
def test_cursors_where_they_are_wanted(pagination: Any, paging: Paging, size: int) -> None:
    wire = amended(RFC, {"pagination": pagination}).wire
    assert (wire.paging, wire.page_size) == (paging, size)


def test_no_page_size_stays_none() -> None:
    profile = replace(RFC, wire=replace(RFC.wire, page_size=None))
    assert amended(profile, {"pagination": {"maxPageSize": 50}}).wire.page_size is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(401, json={}),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://elsewhere.example.com/"}),
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"hello": 1}),
    ],
)
def test_an_answer_that_says_nothing_changes_nothing(answer: httpx.Response) -> None:
    handle, asked = answering(answer)
    assert discovered(reader(handle), RFC) == RFC
    assert [each.url.path for each in asked] == ["/v2/ServiceProviderConfig"]


def test_who_is_known_is_not_asked() -> None:
    handle, asked = answering(httpx.Response(200, json={"patch": {"supported": False}}))
    known = replace(RFC, wire=replace(RFC.wire, discovery=False))
    assert discovered(reader(handle), known) is known
    assert asked == []
    assert load_profile("genesys").wire.discovery is False
    assert load_profile("genesys").lifecycle.user_update is UserUpdate.PATCH


def test_nobody_there_is_said_at_once() -> None:
    handle, _ = answering(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="ServiceProviderConfig"):
        discovered(reader(handle), RFC)


def test_the_reader_pages_by_what_was_said() -> None:
    config = httpx.Response(200, json={"pagination": {**CURSOR, "maxPageSize": 10}})
    first = {"Resources": [{"id": str(n)} for n in range(10)], "totalResults": 12, "nextCursor": "c1"}
    last = {"Resources": [{"id": "10"}, {"id": "11"}], "totalResults": 12}
    handle, asked = answering(config, httpx.Response(200, json=first), httpx.Response(200, json=last))
    client = reader(handle)
    discovered(client, RFC)
    assert len(client.listing("/Users").rows) == 12
    assert [str(each.url.query, "ascii") for each in asked[1:]] == ["cursor=&count=10", "cursor=c1&count=10"]


def test_a_round_first_page_without_a_cursor_is_the_last() -> None:
    """By number it would be worth a look at the next one; a server that pages by cursor only would refuse that."""
    config = httpx.Response(200, json={"pagination": CURSOR})
    page = {"Resources": [{"id": str(n)} for n in range(10)], "totalResults": 10}
    handle, asked = answering(config, httpx.Response(200, json=page), httpx.Response(501))
    client = reader(handle)
    discovered(client, RFC)
    assert len(client.listing("/Users").rows) == 10
    assert len(asked) == 2
