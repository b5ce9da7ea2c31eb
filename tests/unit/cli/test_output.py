"""What people see: ids stay whole, and a narrow terminal gets a field a line."""

import io

from rich.console import Console

from cli.output import Column, Output

IDENTITY = "con_01HZX3K9T2V4M6N8P0Q2R4S6T8"
COLUMNS = (Column("name", "name"), Column("id", "id", whole=True), Column("reason", "reason.text"))
ROW = {"name": "a shop with a rather long name", "id": IDENTITY, "reason": {"text": "it is closed"}}


def shown(width: int) -> str:
    file = io.StringIO()
    Output(as_json=False, console=Console(file=file, width=width)).rows([ROW], COLUMNS, title="Shops", empty="none")
    return file.getvalue()


def test_an_id_is_never_broken_over_lines() -> None:
    for width in (200, 80, 50, 20):
        assert IDENTITY in shown(width), width


def test_a_table_that_does_not_fit_is_shown_a_field_a_line() -> None:
    lines = [line.strip() for line in shown(40).splitlines()]
    assert "reason: it is closed" in lines
    assert not any("│" in line for line in lines)
