"""Files of the command: what can't be read or written is a sentence."""

from pathlib import Path

import pytest

from cli.files import read_text, write
from cli.problems import CommandFailed


def test_a_table_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    file.write_bytes("name,action\nÄ,add_prefix\n".encode("utf-8-sig"))
    assert read_text(file) == "name,action\nÄ,add_prefix\n"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (8 * 1024 * 1024 + 1)])
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "rules.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandFailed) as caught:
        read_text(file)
    assert str(file) in caught.value.text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        write(tmp_path / "none" / "x.csv", "a")
    assert "can't be written" in caught.value.text
