"""A project whose one target is a running server, and what every step of its life has to end with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.conftest import Folder, Ran
from tests.foreign.servers import Foreign

SETTINGS = """\
defaultTarget: team
targets:
  team:
    profile: {profile}
    url: {url}
    auth: {{bearer: env:SCIM_TOKEN}}
    policy:
      removal: {{users: {removal}, groups: {groups}}}
      limits: {{removals: 50, memberRemovals: 50, roleRemovals: 50}}
{more}"""


@dataclass(frozen=True)
class Team:
    """Runs the command in a folder against a server."""

    folder: Folder
    server: Foreign

    def settings(
        self, *, profile: str = "rfc", removal: str = "deactivate", groups: str = "delete", **more: Any
    ) -> None:
        lines = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in more.items())
        text = SETTINGS.format(profile=profile, url=self.server.url, removal=removal, groups=groups, more=lines)
        self.folder.write("reconciler.yaml", text)

    def declare(self, users: Mapping[str, Any], groups: Mapping[str, Any] | None = None) -> None:
        # JSON is YAML
        document = json.dumps({"users": users, "groups": groups or {}}, ensure_ascii=False, indent=1)
        self.folder.write("identities/team.yaml", document)

    def run(self, *arguments: str) -> Ran:
        return self.folder.run(*arguments, SCIM_TOKEN=self.server.token)

    def apply(self, code: int = 0, *more: str) -> Ran:
        done = self.run("apply", "--auto-approve", *more)
        assert done.code == code, done.out + done.err
        return done

    def settled(self, code: int = 0) -> Ran:
        """The plan is empty, and ends with `code` (5 where it names somebody who cannot be planned)."""
        done = self.run("plan", "--detailed-exitcode")
        assert done.code == code, done.out + done.err
        assert "No changes" in done.out, done.out
        return done

    def brought_about(self) -> Ran:
        """Apply, and a plan that is empty afterwards."""
        applied = self.apply()
        self.settled()
        return applied
