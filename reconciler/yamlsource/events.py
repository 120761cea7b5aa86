"""The events of PyYAML's parser: libyaml's where there is one, else its own, which takes about ten times as long."""

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import ScalarEvent

try:
    from yaml.cyaml import CParser as _CParser  # type: ignore[attr-defined]
except ImportError:  # PyYAML without libyaml
    FAST_PARSER: Any = None
else:
    FAST_PARSER = _CParser

SyntaxTrouble = yaml.YAMLError


def fast_parser() -> bool:
    """Whether PyYAML was built with libyaml; without it reading takes about ten times as long."""
    return FAST_PARSER is not None


def scalars(text: str) -> Iterator[tuple[str, bool, Any, Any]]:
    """Style, emptiness, start and end of every scalar up to the first error."""
    try:
        for event in events(text):
            if type(event) is ScalarEvent:
                yield event.style or "", not event.value, event.start_mark, event.end_mark
    except SyntaxTrouble:
        return


def events(text: str) -> Iterator[Any]:
    """The events of PyYAML's parser, libyaml's where there is one."""
    parser: Any = FAST_PARSER(text.encode()) if FAST_PARSER else yaml.SafeLoader(text)
    try:
        yield from iter(parser.get_event, None)
    finally:
        parser.dispose()
