"""The same lives where the product is at home: commits, a record as a git ref, and an organisation over HTTP."""

from tests.properties.effort import examples
from tests.properties.git_stage import staged_in_git
from tests.properties.stage import Stage
from tests.properties.test_life import Life
from tests.properties.witness import POLICY


class LifeInGit(Life):
    def staged(self, organisation: str) -> Stage:
        return self.open.enter_context(staged_in_git(organisation, POLICY))


LifeInGit.TestCase.settings = examples(3, stateful_step_count=20)
TestLifeInGit = LifeInGit.TestCase
