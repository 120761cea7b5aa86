"""The switches that stand for what nobody outside knows about a contact centre, as the page on the sandbox has them."""

import re
from pathlib import Path

SANDBOX_PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
_FIRST_TABLE = SANDBOX_PAGE.read_text(encoding="utf-8").split("## Switches: ")[1]

OPEN = frozenset(re.findall(r"^\| `(\w+)` \|", _FIRST_TABLE, re.MULTILINE))
