"""What became of a saved plan: a small file beside it, `FILE.result.json`, which an apply of it writes.

It is for readers. An apply never believes it: what is left to do is judged by what is live.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from reconciler.codecs import INTEGER, TEXT, Malformed, json_bytes, parsed_json, record
from reconciler.model import Result, Succeeded
from reconciler.planfile import CHECKSUM, read
from reconciler.saved.file import SavedPlan

BEGUN, DONE, PARTLY = "begun", "done", "partly"


class SavedOutcome(Struct, frozen=True, kw_only=True):
    """`state`: begun (and perhaps broken off), done, partly. `plan`: checksum of the file. `at`: ISO 8601, UTC."""

    plan: str
    state: str
    at: str
    done: int
    requests: int


def outcome_now(
    saved: SavedPlan, requests: int, results: Sequence[Result] | None, *, whole: bool = True
) -> SavedOutcome:
    """How far an apply of a file is. `results` None: it is about to begin; `whole`: nothing else went wrong."""
    done = sum(1 for each in results or () if isinstance(each, Succeeded))
    state = BEGUN if results is None else DONE if whole and done == requests else PARTLY
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return SavedOutcome(plan=saved.checksum, state=state, at=at, done=done, requests=requests)


def write_outcome(file: Path, outcome: SavedOutcome) -> None:
    """Write it beside the file of the plan. OSError if that cannot be."""
    result_file(file).write_bytes(json_bytes(_OUTCOME.encode(outcome)) + b"\n")


def read_outcome(file: Path, data: bytes) -> SavedOutcome | None:
    """What became of the plan in a file (`data`: its bytes), if there is word of it, and of this very plan."""
    try:
        outcome = _OUTCOME.decode(parsed_json(result_file(file).read_bytes()))
    except (OSError, Malformed):
        return None
    return outcome if outcome.plan == read(data).get(CHECKSUM) else None


def result_file(file: Path) -> Path:
    """``leavers.json`` -> ``leavers.json.result.json``."""
    return file.with_name(f"{file.name}.result.json")


_OUTCOME = record(SavedOutcome, plan=TEXT, state=TEXT, at=TEXT, done=INTEGER, requests=INTEGER)
