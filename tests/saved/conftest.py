from tests.git.conftest import _plain_git, company

__all__ = ["_plain_git", "company"]
