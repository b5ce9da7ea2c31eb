"""The files: appended once, cut back to what is recorded, never shared."""

import asyncio
import os
import resource
import signal
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from common.errors import Rejected, UpstreamUnavailable
from common.messages.control import CompanySettings
from common.messages.transactions import AccountRole, DocumentKind
from ledger_writer.ledgers.beancount.adapter import folder_of
from ledger_writer.ledgers.beancount.journal import Journal, batch_header
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    LedgerLink,
    NotSent,
    OperationKind,
    Refused,
    Written,
)

K = DocumentKind


def receipt(make: Any, number: int, **more: Any) -> Any:
    return make.document(K.SALES_RECEIPT, "10.00", key=f"{number:032x}", memo_number=str(number), **more)


async def test_a_batch_is_one_block_a_month_and_opens_its_accounts_first(company: Any, make: Any, op: Any) -> None:
    batch = [receipt(make, number, date=date(2026, 1 + number % 2, 5)) for number in range(20)]
    outcomes = await company.write([op(one) for one in batch])
    assert all(isinstance(outcome, Written) for outcome in outcomes.values())
    assert company.journal().count(";; tillbook batch") == company.journal("2026-02").count(";; tillbook batch") == 1
    assert await company.balances() == {"Assets:UndepositedFunds": Decimal(200), "Income:Sales": Decimal(-200)}
    assert (await company.balances(date(2026, 1, 31)))["Income:Sales"] == Decimal(-100)
    opened = (company.folder / "accounts.beancount").read_text()
    assert opened.count("open Income:Sales\n") == 1


async def test_accounts_of_the_companys_settings_are_opened_and_one_of_a_rule_when_it_is_used(
    company: Any, make: Any, op: Any
) -> None:
    company.settings = CompanySettings(
        company_id="com",
        name="x",
        ledger="beancount",
        closed_through=date(2025, 12, 31),
        accounts={AccountRole.INCOME: "Income:Shop:Web"},
    )
    line = make.document().lines[0]
    by_role = line.model_copy(update={"account": line.account.model_copy(update={"name": ""})})
    by_rule = line.model_copy(update={"account": line.account.model_copy(update={"name": "Income:Rule"})})
    await company.write([op(make.document(lines=(by_role,)))])
    assert "Income:Rule" not in (company.folder / "accounts.beancount").read_text()
    await company.write([op(make.document(lines=(by_rule,), key="f" * 32))])
    balances = await company.balances()
    assert {"Income:Shop:Web", "Income:Rule"} <= set(balances)


async def test_accounts_of_any_script_are_opened_once_and_reported(company: Any, make: Any, op: Any) -> None:
    company.settings = CompanySettings(
        company_id="com",
        name="x",
        ledger="beancount",
        closed_through=date(2025, 12, 31),
        accounts={AccountRole.INCOME: "Income:Erlöse:Österreich", AccountRole.TAX: "Liabilities:1776:Umsatzsteuer"},
    )
    # The bookkeeper has opened one of them already: Beancount refuses to open it twice.
    (company.folder / "manual.beancount").write_text("2020-01-01 open Income:Erlöse:Österreich USD\n")
    line = make.document().lines[0]
    by_role = line.model_copy(update={"account": line.account.model_copy(update={"name": ""})})
    await company.write([op(make.document(lines=(by_role,)))])
    company.check()
    opened = (company.folder / "accounts.beancount").read_text()
    assert "open Liabilities:1776:Umsatzsteuer\n" in opened
    assert "Erlöse" not in opened
    assert (await company.balances())["Income:Erlöse:Österreich"] == -make.document().total
    async with company.open() as session:
        listed = {entry.name: entry.object_type async for page in session.lists(("accounts",)) for entry in page}
    assert listed["Income:Erlöse:Österreich"] == "Income"


@pytest.mark.parametrize("keep", [0, 1, 10, 30, 200, -1], ids=lambda keep: f"{keep} bytes of the block")
async def test_what_a_crash_left_unrecorded_is_cut_off_and_can_be_written_again(
    company: Any, make: Any, op: Any, keep: int
) -> None:
    await company.write([op(receipt(make, 1))])
    whole = company.journal()
    await company.write([op(receipt(make, 2))], records=False)
    path = company.folder / "journal" / "2026-01.beancount"
    if keep >= 0:
        os.truncate(path, len(whole) + keep)
    async with company.open():
        assert company.journal() == whole
    outcomes = await company.write([op(receipt(make, 2))])
    assert isinstance(outcomes[f"{2:032x}"], Written)
    assert company.journal().count("document-key") == 2


async def test_a_block_over_two_months_is_cut_off_both(company: Any, make: Any, op: Any) -> None:
    await company.write([op(receipt(make, 1))])
    both = [receipt(make, 2), receipt(make, 3, date=date(2026, 2, 1))]
    await company.write([op(one) for one in both], records=False)
    async with company.open():
        assert company.journal("2026-02") == ""
        assert company.journal().count("document-key") == 1
    assert {path.name for path in (company.folder / "torn").iterdir()} == {
        f"2026-01-batch-2-at-{len(company.journal())}.txt",
        "2026-02-batch-2-at-0.txt",
    }


async def test_zeros_that_a_power_cut_left_are_cut_off(company: Any, make: Any, op: Any) -> None:
    await company.write([op(receipt(make, 1))])
    whole = company.journal()
    with (company.folder / "journal" / "2026-01.beancount").open("ab") as file:
        file.write(b"\0" * 4096)
    async with company.open():
        assert company.journal() == whole


async def test_what_a_person_added_stays_and_a_crash_beside_it_is_still_found(company: Any, make: Any, op: Any) -> None:
    await company.write([op(receipt(make, 1))])
    path = company.folder / "journal" / "2026-01.beancount"
    note = '\n2026-01-07 note Income:Sales "checked with the shop"\n'
    path.write_text(note + path.read_text() + note)
    async with company.open():
        assert path.read_text().count(note) == 2
    await company.write([op(receipt(make, 2))], records=False)
    async with company.open():
        assert path.read_text().count(note) == 2
        assert company.journal().count("document-key") == 1


async def test_a_torn_line_in_the_accounts_is_repaired(company: Any, make: Any, op: Any) -> None:
    await company.write([op(receipt(make, 1))])
    path = company.folder / "accounts.beancount"
    path.write_text(path.read_text() + "1970-01-01 open Asse")
    await company.write([op(receipt(make, 2))])
    assert "open Asse\n" not in path.read_text()


async def test_only_one_process_holds_the_file(company: Any) -> None:
    async with company.open():
        with pytest.raises(UpstreamUnavailable, match="another process"):
            async with company.open():
                pass
    async with company.open():
        pass


async def test_nothing_is_written_once_the_lease_could_end(company: Any, make: Any, op: Any) -> None:
    company.may_send = lambda: False
    outcomes = await company.write([op(receipt(make, 1))])
    assert isinstance(outcomes[f"{1:032x}"], NotSent)
    assert not (company.folder / "journal" / "2026-01.beancount").exists()


async def test_a_refused_document_costs_only_itself_and_what_needs_it(company: Any, make: Any, op: Any) -> None:
    good, bad = receipt(make, 1), receipt(make, 2, currency="EUR")
    needs_bad = make.document(K.REFUND_RECEIPT, key="e" * 32)
    outcomes = await company.write([op(bad), op(good), op(needs_bad, references={bad.key: LedgerLink(bad.key)})])
    refused, dependent = outcomes[bad.key], outcomes[needs_bad.key]
    assert isinstance(outcomes[good.key], Written)
    assert isinstance(refused, Refused)
    assert refused.reason.code == "EXCHANGE_RATE_MISSING"
    assert isinstance(dependent, Refused)
    assert (dependent.error_class, dependent.reason.value) == (ErrorClass.DEPENDENCY, bad.key)
    assert company.journal().count("document-key") == 1


async def test_a_full_disk_takes_the_batch_back(company: Any, make: Any, op: Any) -> None:
    await company.write([op(receipt(make, 1))])
    whole = company.journal()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        async with company.open() as session:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 300, hard))
            batch = [op(receipt(make, number)) for number in range(2, 9)]
            outcomes = {key: outcome async for key, outcome in session.write(batch)}
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert {type(outcome) for outcome in outcomes.values()} == {Refused}
    assert all(o.error_class is ErrorClass.TRANSIENT for o in outcomes.values() if isinstance(o, Refused))
    assert company.journal() == whole


async def test_an_update_and_a_void_reverse_what_stands(company: Any, make: Any, op: Any) -> None:
    before, after = make.document(), make.document(amount="80.00")
    link = await company.link(before)
    update = op(after, OperationKind.UPDATE, previous=before, link=link, generation=1)
    changed = (await company.write([update]))[after.key]
    assert isinstance(changed, Written)
    assert (await company.balances())["Assets:Receivable"] == Decimal("80.00")
    await company.write([op(after, OperationKind.VOID, previous=after, link=changed.link, generation=2)])
    assert set((await company.balances()).values()) == {Decimal(0)}


async def test_a_document_unlinked_by_hand_is_found_unless_it_was_reversed(company: Any, make: Any, op: Any) -> None:
    wanted = make.document()
    link = await company.link(wanted)
    again = op(wanted, former=link, generation=1)
    async with company.open() as session:
        found = await session.find([again, op(make.document(key="e" * 32))])
    assert {key: [one.mark for one in candidates] for key, candidates in found.items()} == {wanted.key: [wanted.mark]}
    await company.write([op(wanted, OperationKind.VOID, previous=wanted, link=link, generation=1)])
    async with company.open() as session:
        assert await session.find([again]) == {}


async def test_an_account_that_only_a_comment_names_is_opened(company: Any, make: Any, op: Any) -> None:
    comments = ";2026-01-01 open Income:Sales\n; 2026-01-01 open Assets:UndepositedFunds\n"
    opened = "2026-01-01 open Assets:Receivable;by hand\n"
    (company.folder / "manual.beancount").write_text(comments + opened, encoding="utf-8")
    assert isinstance((await company.write([op(receipt(make, 1))]))[f"{1:032x}"], Written)
    accounts = (company.folder / "accounts.beancount").read_text()
    assert "open Income:Sales\n" in accounts
    assert "open Assets:UndepositedFunds\n" in accounts
    assert "open Assets:Receivable" not in accounts


async def test_an_account_closed_by_hand_is_inactive_and_takes_nothing_after_its_last_day(
    company: Any, make: Any, op: Any
) -> None:
    own = "2025-01-01 open Income:Sales\n2026-01-05 close Income:Sales\n2026-02-31 close Income:Shipping\n"
    (company.folder / "manual.beancount").write_text(own, encoding="utf-8")
    async with company.open() as session:
        entries = [entry async for page in session.lists(("accounts",)) for entry in page]
    assert [entry.name for entry in entries if not entry.active] == ["Income:Sales"]
    last, after = (receipt(make, number, date=date(2026, 1, 4 + number)) for number in (1, 2))
    outcomes = await company.write([op(last), op(after)])
    assert isinstance(outcomes[last.key], Written)
    refused = outcomes[after.key]
    assert isinstance(refused, Refused)
    assert refused.error_class is ErrorClass.CONFIG
    assert (refused.reason.code, refused.reason.field, refused.reason.value) == (
        "ACCOUNT_INVALID",
        "account",
        "Income:Sales",
    )
    assert "closed since 2026-01-05 by a directive of yours, and the document is of 2026-01-06" in refused.reason.text
    assert "close directive" in refused.reason.cure
    (company.folder / "manual.beancount").write_text(own.rsplit("2026-02", 1)[0], encoding="utf-8")
    company.check()


async def test_what_was_linked_by_hand_cannot_be_reversed(company: Any, make: Any, op: Any) -> None:
    wanted = make.document()
    outcome = (await company.write([op(wanted, OperationKind.VOID, link=LedgerLink("elsewhere"))]))[wanted.key]
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "NOTHING_TO_REVERSE"


async def test_pairing_twice_changes_nothing_and_never_takes_over_books_it_does_not_know(
    company: Any, make: Any, op: Any
) -> None:
    main = (company.folder / "main.beancount").read_text()
    await company.pair()
    await company.write([op(receipt(make, 1))])
    with pytest.raises(Rejected) as refused:
        await company.pair()
    assert refused.value.reason.code == "JOURNAL_EXISTS"
    await company.pair(is_known=True)
    assert (company.folder / "main.beancount").read_text() == main


async def test_a_company_needs_a_home_currency(company: Any, tmp_path: Path) -> None:
    other = type(company)(tmp_path / "other", home_currency="")
    with pytest.raises(Rejected) as refused:
        await other.pair()
    assert refused.value.reason.field == "home_currency"


def test_a_company_id_cannot_leave_its_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "../..", "..")
    assert folder.resolve().is_relative_to(tmp_path.resolve())
    assert folder != folder_of(tmp_path, "%2E%2E", "..")


async def test_the_accounts_are_the_reference_list(company: Any) -> None:
    async with company.open() as session:
        entries = [entry async for page in session.lists(("accounts",)) for entry in page]
        assert [page async for page in session.lists(("customers",))] == []
    assert ("Income:Sales", "Income") in {(entry.full_name, entry.object_type) for entry in entries}


async def test_closing_waits_for_a_write_whose_caller_was_cancelled(company: Any, make: Any, op: Any) -> None:
    journal = Journal(company.folder, {})
    started, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> None:
        with journal._busy:
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(5)

    writing = asyncio.create_task(asyncio.to_thread(slow))
    await started.wait()
    closing = asyncio.create_task(asyncio.to_thread(journal.close))
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    await writing
    await closing


def test_a_header_is_a_comment() -> None:
    assert batch_header(18) == b";; tillbook batch 18\n"
