"""Regular expressions that are compiled when they are first used.

One takes between a fifth of a millisecond and six of them to compile, and most stand ready for mistakes.
"""

import re
from typing import Any, AnyStr, cast


class _Pattern:
    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        """Only asked for what is not there yet."""
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, compiled when one of its methods is first asked for."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))
