"""Which URLs a target may have, and one spelling for each. Pure; no message holds any part of the URL.

A URL may carry a password by mistake, so what is wrong with it is said without repeating it.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from reconciler.profiles.profile import DOMAIN, WireRules

EMBEDDED: Final = "sandbox:"
_FOREIGN: Final = frozenset('\\<>{}|^`"')
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}


class BadUrl(Struct, frozen=True):
    """Why a URL cannot be used. `reason` follows the name of the key: ``url`` *must begin with https://*."""

    code: str
    reason: str
    mend: str


def read_base_url(text: str) -> str | BadUrl:
    """A SCIM base URL in one spelling (lower-case host, no default port, no slash at the end), or why it is none."""
    if text == EMBEDDED:
        return text
    if text.startswith(EMBEDDED):
        return BadUrl("bad-url", "has something after sandbox:", f'write "{EMBEDDED}" alone')
    if "?" in text:
        return BadUrl("bad-url", "has a query, which the paths of SCIM cannot follow", "take out everything from ? on")
    url = read_token_url(text)
    return url.rstrip("/") if isinstance(url, str) else url


def read_token_url(text: str) -> str | BadUrl:
    """A token endpoint (RFC 6749 §3.2: a query is allowed, a fragment is not) in one spelling, or why it is none."""
    if any(not "!" <= each <= "~" or each in _FOREIGN for each in text):
        return BadUrl(
            "bad-url",
            "holds a character that no URL has",
            "percent-encode it, or put the real value where a placeholder stands",
        )
    if "#" in text:
        return BadUrl("bad-url", "has a fragment", "take out everything from # on")
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        return BadUrl("bad-url", "is no URL", "write it like https://example.com/scim/v2")
    if split.scheme not in _DEFAULT_PORTS:
        return BadUrl("bad-url", "must begin with https://", "write it like https://example.com/scim/v2")
    if not split.hostname or port == 0:
        return BadUrl("bad-url", "names no host, or no port that exists", "write it like https://example.com/scim/v2")
    if "@" in split.netloc:
        return BadUrl("user-in-url", "holds a user name or a password", "take it out and write it under auth")
    if split.scheme == "http" and not _is_loopback(split.hostname):
        return BadUrl(
            "insecure-url",
            "would send credentials and personal data in the clear",
            "write https:// (http:// is for this machine alone: 127.0.0.1, [::1], localhost)",
        )
    return _normal(split)


def region_url(wire: WireRules, region: str) -> str | None:
    """The SCIM base URL of a region that the profile knows, by its name or by its domain."""
    domains = {each.lower(): each for each in wire.regions.values()}
    domain = wire.regions.get(region.lower()) or domains.get(region.lower().rstrip("."))
    return wire.region_url.replace(DOMAIN, domain) if domain and wire.region_url else None


def derived_token_url(wire: WireRules, base_url: str) -> str | None:
    """Where tokens for this base URL come from, if it is on a host of one of the profile's regions; never a guess."""
    if not wire.region_url or not wire.region_token_url:
        return None
    host = urlsplit(base_url).netloc
    for domain in wire.regions.values():
        if host == urlsplit(wire.region_url.replace(DOMAIN, domain)).netloc:
            return wire.region_token_url.replace(DOMAIN, domain)
    return None


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "::1"):
        return True
    try:
        return IPv4Address(host) in _LOOPBACK
    except AddressValueError:
        return False


def _normal(split: SplitResult) -> str:
    host = split.netloc.lower().removesuffix(_DEFAULT_PORTS[split.scheme])
    return split._replace(netloc=host).geturl()
