"""What somebody may have meant by a word that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

_FEW = 24
"""So many names are still read; more are not listed."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, without regard to case; None if none is like it."""
    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """The mend for an unknown word: ``did you mean roles?``, else the known words where they are few."""
    words = sorted(known)
    meant = nearest(word, words)
    if meant is not None:
        return f"did you mean {meant}?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= _FEW else ""
