"""What a bookkeeper keeps beside our journal counts wherever it stands."""

import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger_writer.ledgers.beancount import own_entries
from ledger_writer.ledgers.beancount.own_entries import OwnEntries
from ledger_writer.ledgers.protocol import Refused, Written

SOLD = "2020-01-01 open Income:Sales USD\n"


def keep(folder: Path, **files: str) -> OwnEntries:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.beancount"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return OwnEntries(folder)


async def test_accounts_of_included_files_are_opened_once_and_closed_for_us(company: Any, make: Any, op: Any) -> None:
    keep(
        company.folder,
        manual='include "bank/*.beancount"\n',
        bank__accounts=SOLD + "2020-01-01 open Income:Old\n2020-02-01 close Income:Old\n",
    )
    line = make.document().lines[0]
    old = line.model_copy(update={"account": line.account.model_copy(update={"name": "Income:Old"})})
    sold, refused = make.document(), make.document(key="e" * 32, lines=(old,))
    outcomes = await company.write([op(sold), op(refused)])
    assert isinstance(outcomes[sold.key], Written)
    assert isinstance(outcomes[refused.key], Refused)
    assert "open Income:Sales" not in (company.folder / "accounts.beancount").read_text()
    company.check()


async def test_an_account_that_the_bookkeeper_opens_while_the_file_is_held_is_not_opened_again(
    company: Any, make: Any, op: Any
) -> None:
    line = make.document().lines[0]
    fair = line.model_copy(update={"account": line.account.model_copy(update={"name": "Income:Fair"})})
    async with company.open() as session:
        keep(company.folder, manual="2020-01-01 open Income:Fair\n")
        outcomes = [outcome async for _, outcome in session.write([op(make.document(lines=(fair,)))])]
        assert [type(outcome) for outcome in outcomes] == [Written]
    company.check()


def test_files_are_found_as_beancount_finds_them_and_each_once(tmp_path: Path) -> None:
    own = keep(
        tmp_path,
        manual='include "years/2026.beancount"\n; include "years/none.beancount"\n1\n',
        years__2026='include "../manual.beancount"\ninclude "bank*.beancount"\ninclude "gone.beancount"\n2\n',
        years__bank1="3",
        years__bank2=f'include "{tmp_path}/absolute.beancount"\n4',
        absolute="5",
    )
    assert sorted(line for line in own.text().splitlines() if line.isdigit()) == ["1", "2", "3", "4", "5"]


def test_what_has_changed_is_read_again(tmp_path: Path) -> None:
    own = keep(tmp_path, manual='include "a.beancount"\n', a="before")
    assert own.text().endswith("before")
    keep(tmp_path, a="after")
    os.utime(tmp_path / "a.beancount", ns=(1, 1))
    assert own.text().endswith("after")
    (tmp_path / "a.beancount").unlink()
    assert own.text() == 'include "a.beancount"\n'


@pytest.mark.parametrize(("bound", "value"), [("_BYTES_MAX", 40), ("_FILES_MAX", 1)])
def test_what_is_beyond_the_bounds_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(own_entries, bound, value)
    own = keep(tmp_path, manual='include "big.beancount"\n', big="x" * 20)
    with capture_logs() as logs:
        assert own.text() == 'include "big.beancount"\n'
    assert [(one["event"], one["file"]) for one in logs] == [("own_entries_left_out", "big.beancount")]


def test_a_folder_without_entries_has_none(tmp_path: Path) -> None:
    assert OwnEntries(tmp_path).text() == ""
    for included in ("/dev/zero", "/", "a**b"):
        own = keep(tmp_path, manual=f'include "{included}"\n')
        assert own.text() == f'include "{included}"\n'
