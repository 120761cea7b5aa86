"""Assertions of the helpers explain themselves too."""

import pytest

pytest.register_assert_rewrite("tests.diagnostics.hostile", "tests.diagnostics.running")
