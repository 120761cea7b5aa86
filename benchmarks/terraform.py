"""The same company as Terraform resources, in the way a person would write it: `for_each` over the decoded YAML.

The resource is the built-in `terraform_data`, so nothing is downloaded and nothing is asked over a network: what is
measured is Terraform's own work. A real provider adds one read per resource to that.
"""

import shutil
from pathlib import Path
from typing import Final

from benchmarks.company import write_declarations
from benchmarks.measuring import Cost, run

_MAIN: Final = """\
locals {
  files = fileset(path.module, "users-*.yaml")
  users = merge([for file in local.files : yamldecode(file("${path.module}/${file}")).users]...)
}

resource "terraform_data" "user" {
  for_each = local.users
  input    = each.value
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
    """One plan that creates everybody."""
    folder = parent / f"terraform-{size}"
    write_declarations(folder, size)
    folder.joinpath("main.tf").write_text(_MAIN, encoding="utf-8")
    run([command, "init", "-input=false", "-no-color"], folder)
    return run([command, "plan", "-input=false", "-no-color"], folder)
