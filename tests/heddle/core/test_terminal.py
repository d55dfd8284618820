"""What comes from outside neither moves the cursor nor reorders text; pipes get whole lines."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from heddle.core.terminal import PipeConsole, json_text, untrusted, untrusted_lines, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x [/b] y [oak]", "x [/b] y [oak]"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("chair\u202etxt", "chair\\u202etxt"),
        ("nul\0", "nul\\x00"),
        ("\u2028", "\\u2028"),
        ("სკამი \N{NO-BREAK SPACE}🪑", "სკამი \N{NO-BREAK SPACE}🪑"),
        ("👩\u200d🔧 می\u200cخواهم", "👩\u200d🔧 می\u200cخواهم"),  # noqa: RUF001
        ("oak\n[catalog] 9/9 done\r", "oak\\n[catalog] 9/9 done\\r"),
        ("tab\tstays", "tab\tstays"),
        ("ends with \\", "ends with \\"),
    ],
)
def test_visible_escapes_what_a_terminal_obeys(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_printed_text_contains_no_control_character(text: str) -> None:
    file = io.StringIO()
    PipeConsole(file=file, force_terminal=False).print(untrusted(text))
    printed = file.getvalue().removesuffix("\n")  # one line for every text
    assert not any(ord(character) < 32 and character != "\t" for character in printed)
    assert "\u202e" not in file.getvalue()


def test_pipe_does_not_fold_ids() -> None:
    table, file = Table(box=None), io.StringIO()
    table.add_column("id")
    table.add_row("shop:" + "x" * 4_000)
    PipeConsole(file=file).print(table)
    assert "shop:" + "x" * 4_000 in file.getvalue()


def test_terminal_folds() -> None:
    file = io.StringIO()
    console = PipeConsole(file=file, force_terminal=True, width=40)
    console.print("word " * 40)
    assert max(map(len, file.getvalue().splitlines())) <= 40


@given(st.dictionaries(st.text(), st.text()))
def test_json_text_is_lossless_and_printable(content: dict[str, str]) -> None:
    text = json_text(content, indent=2)
    assert json.loads(text) == content
    hidden = {each for each in text if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}}
    assert hidden <= set("\n\u200c\u200d")


def test_print_line_prints_no_emoji_no_markup_no_folds() -> None:
    file = io.StringIO()
    PipeConsole(file=file, force_terminal=True, width=20).print_line("a :cat: [b] \x1b[2J " + "word " * 20)
    assert file.getvalue() == "a :cat: [b] \\x1b[2J " + "word " * 20 + "\n"


def test_message_indents_further_lines() -> None:
    file = io.StringIO()
    PipeConsole(file=file).print_message("heddle: wrong\n[catalog] 9/9 done\x1b")
    assert file.getvalue() == "heddle: wrong\n  [catalog] 9/9 done\\x1b\n"


def test_untrusted_lines_keeps_line_breaks_only() -> None:
    assert untrusted_lines("first\nsecond\r\x1b").plain == "first\nsecond\\r\\x1b"
