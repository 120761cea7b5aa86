"""What a reply means: a document, a page of a listing, the answer to a write, or its refusal."""

from collections.abc import Mapping

from reconciler.model import Json
from reconciler.transport.answers import Answer, Refusal, Unreadable, folded, read_json, request_id_of, version_of
from reconciler.transport.channel import Reply
from reconciler.transport.listing import Page, PageRefused
from reconciler.transport.wording import not_scim


def document_of(reply: Reply) -> Mapping[str, Json]:
    """The JSON object of a body. Raises NotScim for anything else."""
    try:
        document = read_json(reply.body)
    except Unreadable as problem:
        raise not_scim(reply.url, str(problem)) from None
    if not isinstance(document, dict):
        raise not_scim(reply.url, "JSON that is no object")
    return document


def without_filter(refused: PageRefused, filter: str) -> PageRefused:
    """A listing that only its filter makes possible: without it somebody would be left out, and looked for in vain."""
    return PageRefused(
        f"{refused.summary}; it was asked for {filter}",
        "the server takes no such filter, and without it somebody would not be read; ask the provider",
        refused.scim_type,
        refused.status,
    )


def page_of(reply: Reply) -> Page:
    """A ListResponse (RFC 7644 §3.4.2). ``Resources`` may be missing or null; without a total too it is no listing."""
    members = folded(document_of(reply))
    if "resources" not in members and "totalresults" not in members:
        raise not_scim(reply.url, "JSON without Resources and totalResults")
    rows, total, cursor = members.get("resources"), members.get("totalresults"), members.get("nextcursor")
    if not isinstance(rows, list | None):
        raise not_scim(reply.url, "a listing whose Resources are no list")
    if isinstance(total, str) and total.isascii() and total.isdigit():
        total = int(total)
    if total is not None and (isinstance(total, bool) or not isinstance(total, int) or total < 0):
        raise not_scim(reply.url, "a listing whose totalResults is no number")
    return Page(rows=tuple(rows or ()), total=total, next_cursor=cursor if isinstance(cursor, str) and cursor else None)


def answer_of(reply: Reply, body: Mapping[str, Json] | None) -> Answer:
    """A write that was done, with what the server says the resource is now."""
    return Answer(
        status=reply.status,
        body=body,
        version=version_of(body),
        request_id=request_id_of(reply.headers),
        location=reply.headers.get("Location"),
        attempts=reply.attempts,
    )


def refusal_of(reply: Reply, *, detail: str, scim_type: str | None = None, unknown: bool = False) -> Refusal:
    """A write that was not done, or of which that cannot be said (`unknown`)."""
    return Refusal(
        status=reply.status,
        scim_type=scim_type,
        detail=detail,
        request_id=request_id_of(reply.headers),
        unknown=unknown,
        attempts=reply.attempts,
    )
