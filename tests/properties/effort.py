"""How many examples a property is tried on.

The suite tries a few, always the same, so that red means a change. HYPOTHESIS_PROFILE=thorough tries ten times as many,
deep a hundred times, and each time others.
"""

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = {"suite": 1, "thorough": 10, "deep": 100}[os.environ.get("HYPOTHESIS_PROFILE", "suite")]


def examples(number: int, **more: int) -> settings:
    """Settings for so many examples in the suite."""
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        **more,  # type: ignore[arg-type]
    )
