"""The same company as Terraform resources, in the way a person would write it: `for_each` over the decoded YAML.

In two shapes. `SCIM`: every user with the attributes of a SCIM resource, which is what a provider for SCIM would take.
`OURS`: our own files, users with what their templates give. Both have the groups with their members. The resource is
the built-in `terraform_data`, so nothing is downloaded and nothing is asked over a network: what is measured is
Terraform's own work. A real provider adds one read per resource to that. Left out, in Terraform's favour: managers (a
user who refers to another of the same `for_each` is a circle there), a resource for each membership, and every check.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.company import PER_FILE, Person, teams, user_row, write_declarations
from benchmarks.measuring import Cost, Failed, run

SCIM: Final = "SCIM resources"
OURS: Final = "our files"

_GIVEN_BY_THE_SERVER: Final = {"id", "meta", "groups"}

_GROUPS: Final = """
resource "terraform_data" "group" {
  for_each = local.groups
  input = {
    displayName = each.value.displayName
    members     = [for key in each.value.members : terraform_data.user[key].id]
  }
}
"""

_OURS_TF: Final = """\
locals {
  files     = [for name in fileset(path.module, "*.yaml") : yamldecode(file("${path.module}/${name}"))]
  templates = merge([for file in local.files : lookup(file, "templates", {})]...)
  users     = merge([for file in local.files : lookup(file, "users", {})]...)
  groups    = merge([for file in local.files : lookup(file, "groups", {})]...)
}

resource "terraform_data" "user" {
  for_each = local.users
  input = merge(each.value, {
    roles = distinct(concat(
      flatten([for name in each.value.from : local.templates[name].roles]), each.value.roles
    ))
    routingLanguages = merge([for name in each.value.from : local.templates[name].routingLanguages]...)
  })
}
"""

_SCIM_TF: Final = """\
locals {
  users  = merge([for name in fileset(path.module, "users*.yaml") : yamldecode(file("${path.module}/${name}"))]...)
  groups = yamldecode(file("${path.module}/groups.yaml"))
}

resource "terraform_data" "user" {
  for_each = local.users
  input    = each.value
}
"""


def _write_resources(folder: Path, size: int) -> None:
    """Every user as the resource that a create would send; JSON is YAML too, and is decoded no slower."""
    folder.mkdir(parents=True)
    for start in range(0, size, PER_FILE):
        people = [Person(number) for number in range(start, min(start + PER_FILE, size))]
        users = {person.key: _without_server(user_row(person)) for person in people}
        folder.joinpath(f"users-{start:06d}.yaml").write_text(json.dumps(users, indent=1), encoding="utf-8")
    groups = {
        team.key: {"displayName": team.display_name, "members": [Person(number).key for number in team.people]}
        for team in teams(size)
    }
    folder.joinpath("groups.yaml").write_text(json.dumps(groups, indent=1), encoding="utf-8")


def _without_server(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in _GIVEN_BY_THE_SERVER}


_SHAPES: Final[dict[str, tuple[Callable[[Path, int], None], str]]] = {
    SCIM: (_write_resources, _SCIM_TF),
    OURS: (write_declarations, _OURS_TF),
}


def terraform() -> str | None:
    """Where Terraform is; None where it is not."""
    return shutil.which("terraform")


def version(command: str, parent: Path) -> str:
    """``Terraform v1.11.4``."""
    said = run([command, "version"], parent).output.splitlines()
    return next((line for line in said if line.startswith("Terraform v")), "Terraform")


def plan(command: str, parent: Path, size: int, shape: str) -> Cost:
    """One plan that creates everybody. Raises Failed where it is another plan than that."""
    folder = parent / f"terraform-{len(shape)}-{size}"
    write, main = _SHAPES[shape]
    write(folder, size)
    folder.joinpath("main.tf").write_text(main + _GROUPS, encoding="utf-8")
    run([command, "init", "-input=false", "-no-color"], folder)
    planned = run([command, "plan", "-input=false", "-no-color"], folder)
    expected = f"Plan: {size + len(list(teams(size)))} to add"
    if expected not in planned.output:
        raise Failed(f"terraform should say {expected!r}: {planned.output[-2000:]}")
    return planned
