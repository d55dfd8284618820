"""What stages and their libraries print goes to the terminal without control characters."""

import io

from dagster_project.progress import RunProgress, print_errors
from heddle.core.terminal import PipeConsole

ATTACK = "[red]\x1b[2J\u202e"


def test_errors_and_messages_print_brackets_and_no_control_character():
    file = io.StringIO()
    console = PipeConsole(file=file)
    print_errors(console, {"clip": f"clip failed:\n{ATTACK}"})
    progress = RunProgress(["clip"], {})
    progress.rows["clip"].message = ATTACK
    console.print(progress.table(expand=False))
    assert file.getvalue().count("[red]\\x1b[2J\\u202e") == 2
    assert not {"\x1b", "\u202e"} & set(file.getvalue())
