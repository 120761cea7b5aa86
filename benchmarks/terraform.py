"""The same company as Terraform resources, in the way a person would write it: `for_each` over the decoded YAML.

The same files, and the same of them: users with what their templates give, groups with their members. The resource is
the built-in `terraform_data`, so nothing is downloaded and nothing is asked over a network: what is measured is
Terraform's own work. A real provider adds one read per resource to that. Left out, in Terraform's favour: managers (a
user who refers to another of the same `for_each` is a circle there), a resource for each membership, and every check.
"""

import shutil
from pathlib import Path
from typing import Final

from benchmarks.company import teams, write_declarations
from benchmarks.measuring import Cost, Failed, run

_MAIN: Final = """\
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

resource "terraform_data" "group" {
  for_each = local.groups
  input = {
    displayName = each.value.displayName
    members     = [for key in each.value.members : terraform_data.user[key].id]
  }
}
"""


def terraform() -> str | None:
    """Where Terraform is; None where it is not."""
    return shutil.which("terraform")


def version(command: str, parent: Path) -> str:
    """``Terraform v1.11.4``."""
    said = run([command, "version"], parent).output.splitlines()
    return next((line for line in said if line.startswith("Terraform v")), "Terraform")


def plan(command: str, parent: Path, size: int) -> Cost:
    """One plan that creates everybody. Raises Failed where it is another plan than that."""
    folder = parent / f"terraform-{size}"
    write_declarations(folder, size)
    folder.joinpath("main.tf").write_text(_MAIN, encoding="utf-8")
    run([command, "init", "-input=false", "-no-color"], folder)
    planned = run([command, "plan", "-input=false", "-no-color"], folder)
    expected = f"Plan: {size + len(list(teams(size)))} to add"
    if expected not in planned.output:
        raise Failed(f"terraform should say {expected!r}: {planned.output[-2000:]}")
    return planned
