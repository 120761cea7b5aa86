"""Refs of one remote: where they stand, bringing one here, and moving one by compare-and-swap.

Every move is a push with an explicit lease. The text of a rejection is never parsed: after a push that did not go
through, the remote is asked where its ref stands. Silence is never read as "there is none".
"""

import time

from msgspec import Struct

from reconciler.record.repository import NETWORK_SECONDS, TIMED_OUT, GitAnswer, GitRepository
from reconciler.record.store import RecordError, RecordRaceLost, RecordRefused, RecordUnreachable

_NO_ANSWER_SECONDS = 60.0
_NO_SUCH_REF = 2
_FETCH = "fetch --no-tags --no-prune --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance --no-filter"
_PUSH = "push --porcelain --no-verify --no-follow-tags --no-signed --recurse-submodules=no"
_MEND_REFUSED = (
    "the job needs the right to push: `contents: write` (GitHub), *Allow Git push requests to the repository* "
    "(GitLab); or a push rule of the server stands against it"
)


class RemoteRefs(Struct, frozen=True, kw_only=True):
    """The refs of the remote `name`. `pauses`: seconds to wait between the tries of a push that got no answer."""

    repository: GitRepository
    name: str
    pauses: tuple[float, ...]

    def tips(self, *refs: str) -> dict[str, str]:
        """Ref -> the object it names, of those that there are. Raises `RecordUnreachable`."""
        answer = self.repository.run("ls-remote", "--exit-code", self.name, *refs, seconds=_NO_ANSWER_SECONDS)
        if answer.code not in (0, _NO_SUCH_REF):
            raise self._unreachable(refs[0], answer)
        # A pattern also matches refs that merely end like ours.
        named = (line.split("\t") for line in answer.text.splitlines())
        return {name: object_id for object_id, name in named if name in refs}

    def fetch(self, ref: str, copy: str) -> None:
        """Bring `ref` here as the local ref `copy`. Raises `RecordUnreachable`."""
        # In a full clone `--depth` would make the whole clone shallow.
        depth = ("--depth=1",) if self.repository.is_shallow() else ()
        command = (*_FETCH.split(), *depth, self.name, f"+{ref}:{copy}")
        answer = self.repository.run(*command, seconds=NETWORK_SECONDS)
        if answer.code != 0:
            raise self._unreachable(ref, answer)

    def push(self, version: str, ref: str, expected: str | None) -> None:
        """Move `ref` from `expected` (None: there must be none) to the commit `version`.

        Raises `RecordRaceLost`, `RecordRefused`, `RecordUnreachable`.
        """
        lease = f"--force-with-lease={ref}:{expected or ''}"
        command = (*_PUSH.split(), lease, self.name, f"{version}:{ref}")
        refusals = 0
        failure = RecordError(f"{ref} was not pushed")
        for pause in (*self.pauses, 0.0):
            answer = self.repository.run(*command, seconds=NETWORK_SECONDS)
            if answer.code == 0 and _moved(answer):
                return
            try:
                tip = self.tips(ref).get(ref)
            except RecordUnreachable as silence:
                failure = silence
            else:
                if tip == version:  # it had worked, only the answer was lost
                    return
                if tip != expected:
                    raise RecordRaceLost(f"{ref} on {self.name}", expected=expected, found=tip)
                failure = self._not_taken(ref, answer)
                refusals += 1
            # A second try before it is called a refusal: somebody whose push then failed may have held the ref's lock.
            if refusals > 1 or answer.code == TIMED_OUT:
                break
            time.sleep(pause)
        raise failure

    def remove(self, ref: str, expected: str) -> str | None:
        """Take `ref` away if it still stands at `expected`; where it stands afterwards. Raises `RecordUnreachable`."""
        lease = f"--force-with-lease={ref}:{expected}"
        self.repository.run(*_PUSH.split(), lease, self.name, f":{ref}", seconds=NETWORK_SECONDS)
        return self.tips(ref).get(ref)

    def _not_taken(self, ref: str, answer: GitAnswer) -> RecordError:
        if answer.code == TIMED_OUT:
            return self._unreachable(ref, answer)
        return RecordRefused(f"{self.name} refused the record {ref}", lines=answer.lines, mend=_MEND_REFUSED)

    def _unreachable(self, ref: str, answer: GitAnswer) -> RecordUnreachable:
        mend = "check the network and the right to read the repository, then try again"
        return RecordUnreachable(f"{self.name} does not answer for {ref}", lines=answer.lines, mend=mend)


def _moved(answer: GitAnswer) -> bool:
    """Whether a porcelain push reports our ref as created, forwarded or, by our lease, begun anew.

    `=` means that it stood there already.
    """
    return any(line.startswith(("*\t", " \t", "+\t")) for line in answer.text.split("\n"))
