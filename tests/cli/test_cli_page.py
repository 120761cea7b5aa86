"""docs/cli.md says what the commands say: its marked parts are made from the registry. BLESS=1 writes them anew."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.exits import EXIT_CODES, ORDER
from reconciler.cli.main import COMMANDS, cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    page = with_part(with_part(written, "exit codes", exit_codes()), "commands", commands())
    if os.environ.get("BLESS") == "1":
        PAGE.write_text(page, encoding="utf-8")
    else:
        assert written == page, "docs/cli.md is not what the commands say: run this test with BLESS=1"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name: str) -> None:
    """The registry holds the line so that `--help` need not import every command."""
    command = command_of(name)
    assert command.help is not None
    assert command.help.splitlines()[0] == COMMANDS[name].help
    assert not [each.name for each in options_of(command) if not each.help]


def test_the_page_names_every_variable_that_an_option_reads() -> None:
    read = {str(each.envvar) for name in COMMANDS for each in options_of(command_of(name)) if each.envvar}
    assert read
    assert all(f"`{variable}`" in PAGE.read_text(encoding="utf-8") for variable in read)


def with_part(page: str, name: str, lines: Iterator[str]) -> str:
    """The page with new lines between the mark of a part and the end mark."""
    pattern = re.compile(rf"(<!-- {name}:[^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
    assert len(pattern.findall(page)) == 1
    text = "\n".join(lines)
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)


def exit_codes() -> Iterator[str]:
    yield from ("| code | meaning |", "| --- | --- |")
    yield from (f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield ""
    yield f"When several hold, the first of {', '.join(str(int(code)) for code in ORDER)}."
    yield ""


def commands() -> Iterator[str]:
    for name, entry in COMMANDS.items():
        command = command_of(name)
        with click.Context(command, info_name=f"reconciler {name}") as context:
            yield f"### `{usage(command, context)}`"
            yield ""
            yield from paragraphs(command.help or "")
            if entry.writes:
                yield from ("Writes to the target.", "")
            rows = [row(each, context) for each in options_of(command)]
            if rows:
                yield from ("| option | |", "| --- | --- |", *rows, "")


def usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def paragraphs(text: str) -> Iterator[str]:
    for each in re.split(r"\n\s*\n", text):
        yield from (" ".join(each.split()), "")


def row(option: click.Option, context: click.Context) -> str:
    names, said = option.get_help_record(context) or ("", "")
    escaped = names.replace("|", "\\|")
    return f"| `{escaped}` | {said} |"


def options_of(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def command_of(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, click.Command)
    return command
