"""Embedded organisations to test against, always the real provider behind httpx's transport seam."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from reconciler.sandbox import SandboxService, SandboxTransport, open_sandbox


@pytest.fixture
def service() -> Iterator[SandboxService]:
    """A fresh plain RFC organisation in memory."""
    opened = open_sandbox(None, "rfc")
    yield opened
    opened.close()


@pytest.fixture
def client(service: SandboxService) -> Iterator[httpx.Client]:
    """A client of the RFC organisation."""
    with httpx.Client(transport=SandboxTransport(service), base_url="http://sandbox/scim/v2") as opened:
        yield opened


@pytest.fixture
def genesys() -> Iterator[SandboxService]:
    """A fresh contact centre in memory."""
    opened = open_sandbox(None, "genesys")
    yield opened
    opened.close()


@pytest.fixture
def genesys_client(genesys: SandboxService) -> Iterator[httpx.Client]:
    """A client of the contact centre."""
    with httpx.Client(transport=SandboxTransport(genesys), base_url="http://sandbox/api/v2/scim/v2") as opened:
        yield opened
