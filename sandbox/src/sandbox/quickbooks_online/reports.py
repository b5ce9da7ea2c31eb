"""Financial reports from the ledger: TrialBalance, ProfitAndLoss, BalanceSheet, GeneralLedger, CustomerBalance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.accounting.ledger import ZERO
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.table import Doc

Row = dict[str, Any]
_RESULT = ("Income", "Other Income", "Cost of Goods Sold", "Expense", "Other Expense")


def report(company: Company, name: str, params: dict[str, str]) -> Row:
    """The report in Intuit's column and row form. Raises 500 for an unknown report, 2060 for a bad date."""
    start, end = _day(params, "start_date"), _day(params, "end_date")
    makers = {
        "trialbalance": _trial_balance,
        "profitandloss": _profit_and_loss,
        "balancesheet": _balance_sheet,
        "generalledger": _general_ledger,
        "customerbalance": _customer_balance,
    }
    maker = makers.get(name.lower())
    if maker is None:
        raise Fault("500", f"Unsupported Operation : Report {name[:60]} is not supported.")
    title, columns, rows = maker(company, start, end)
    header = {
        "Time": company.clock.stamp(),
        "ReportName": title,
        "ReportBasis": "Accrual",
        "Currency": company.settings.home_currency,
        "Option": [{"Name": "NoReportData", "Value": "false" if rows else "true"}],
    }
    if start is not None:
        header["StartPeriod"] = start.isoformat()
    header["EndPeriod"] = (end or company.clock.today()).isoformat()
    columns = [{"ColTitle": column, "ColType": kind} for column, kind in columns]
    return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows}}


Made = tuple[str, list[Any], list[Row]]


def _day(params: dict[str, str], name: str) -> date | None:
    text = params.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Fault("2060", f"Invalid date format for {name}: use YYYY-MM-DD", name) from None


def _money(amount: Decimal) -> str:
    return format(amount, ".2f") if amount else ""


def _cells(*values: object) -> list[Row]:
    return [value if isinstance(value, dict) else {"value": str(value)} for value in values]


def _account_cell(company: Company, account: str) -> Row:
    doc = company.get("Account", account) or {"FullyQualifiedName": account}
    return {"value": doc["FullyQualifiedName"], "id": account}


def balances(company: Company, start: date | None, end: date | None) -> dict[str, Decimal]:
    """Debit balance of each account at ``end``.

    With ``start``, income and expenses count from that day on and what was earned before sits in retained earnings;
    without it nothing is carried over.
    """
    if start is None and end is None:
        return {account: amount for account, amount in company.ledger.balances.items() if amount}
    found: dict[str, Decimal] = {}
    for posting, entry in company.ledger.entries(None, end):
        account = entry.account
        if start is not None and posting.day < start:
            doc = company.get("Account", account) or {}
            if doc.get("AccountType") in _RESULT:
                account = company.special["retained"]
        found[account] = found.get(account, ZERO) + entry.amount
    return {account: amount for account, amount in found.items() if amount}


def _trial_balance(company: Company, start: date | None, end: date | None) -> Made:
    rows: list[Row] = []
    debit = credit = ZERO
    held = balances(company, start, end)
    for account in sorted(held, key=lambda identifier: _sort_key(company, identifier)):
        amount = held[account]
        debit += max(amount, ZERO)
        credit += max(-amount, ZERO)
        cells = (_account_cell(company, account), _money(max(amount, ZERO)), _money(max(-amount, ZERO)))
        rows.append({"ColData": _cells(*cells)})
    total = _cells("TOTAL", format(debit, ".2f"), format(credit, ".2f"))
    rows.append({"Summary": {"ColData": total}, "type": "Section", "group": "GrandTotal"})
    return "TrialBalance", [("", "Account"), ("Debit", "Money"), ("Credit", "Money")], rows


_TYPE_ORDER = (
    "Bank",
    "Accounts Receivable",
    "Other Current Asset",
    "Fixed Asset",
    "Other Asset",
    "Accounts Payable",
    "Credit Card",
    "Other Current Liability",
    "Long Term Liability",
    "Equity",
    *_RESULT,
)


def _sort_key(company: Company, account: str) -> tuple[int, str]:
    doc = company.get("Account", account) or {"AccountType": "Equity", "FullyQualifiedName": account}
    return (_TYPE_ORDER.index(doc["AccountType"]), doc["FullyQualifiedName"])


def _section(
    company: Company, title: str, group: str, held: dict[str, Decimal], types: Iterable[str], sign: int
) -> tuple[Row, Decimal]:
    """One block of accounts with its total; ``sign`` turns credits positive for income and liabilities."""
    wanted = set(types)
    rows: list[Row] = []
    total = ZERO
    for account in sorted(held, key=lambda identifier: _sort_key(company, identifier)):
        doc: Doc = company.get("Account", account) or {}
        if doc.get("AccountType") in wanted:
            amount = held[account] * sign
            total += amount
            rows.append({"ColData": _cells(_account_cell(company, account), format(amount, ".2f")), "type": "Data"})
    summary = {"ColData": _cells(f"Total {title}", format(total, ".2f"))}
    section = {"Header": {"ColData": _cells(title, "")}, "Rows": {"Row": rows}, "Summary": summary}
    return {**section, "type": "Section", "group": group}, total


def _total(title: str, group: str, amount: Decimal) -> Row:
    return {"Summary": {"ColData": _cells(title, format(amount, ".2f"))}, "type": "Section", "group": group}


def _result(company: Company, start: date | None, end: date | None) -> tuple[list[Row], Decimal]:
    held: dict[str, Decimal] = {}
    for _, entry in company.ledger.entries(start, end):
        held[entry.account] = held.get(entry.account, ZERO) + entry.amount
    income, earned = _section(company, "Income", "Income", held, ("Income",), -1)
    cogs, cost = _section(company, "Cost of Goods Sold", "COGS", held, ("Cost of Goods Sold",), 1)
    expenses, spent = _section(company, "Expenses", "Expenses", held, ("Expense",), 1)
    other_in, extra = _section(company, "Other Income", "OtherIncome", held, ("Other Income",), -1)
    other_out, less = _section(company, "Other Expenses", "OtherExpenses", held, ("Other Expense",), 1)
    net = earned - cost - spent + extra - less
    rows = [income, cogs, _total("Gross Profit", "GrossProfit", earned - cost), expenses]
    rows += [_total("Net Operating Income", "NetOperatingIncome", earned - cost - spent), other_in, other_out]
    rows.append(_total("Net Income", "NetIncome", net))
    return rows, net


def _profit_and_loss(company: Company, start: date | None, end: date | None) -> Made:
    rows, _ = _result(company, start, end)
    return "ProfitAndLoss", [("", "Account"), ("Total", "Money")], rows


def _balance_sheet(company: Company, _start: date | None, end: date | None) -> Made:
    held = balances(company, None, end)
    assets, _ = _section(company, "ASSETS", "TotalAssets", held, _TYPE_ORDER[:5], 1)
    liabilities, owed = _section(company, "Liabilities", "Liabilities", held, _TYPE_ORDER[5:9], -1)
    equity, own = _section(company, "Equity", "Equity", held, ("Equity",), -1)
    _, net = _result(company, None, end)
    equity["Rows"]["Row"].append({"ColData": _cells("Net Income", format(net, ".2f")), "type": "Data"})
    equity["Summary"] = {"ColData": _cells("Total Equity", format(own + net, ".2f"))}
    rows = [
        assets,
        liabilities,
        equity,
        _total("TOTAL LIABILITIES AND EQUITY", "TotalLiabilitiesAndEquity", owed + own + net),
    ]
    return "BalanceSheet", [("", "Account"), ("Total", "Money")], rows


def _general_ledger(company: Company, start: date | None, end: date | None) -> Made:
    by_account: dict[str, list[Row]] = {}
    sums: dict[str, Decimal] = {}
    for posting, entry in sorted(company.ledger.entries(start, end), key=lambda pair: (pair[0].day, pair[0].txn)):
        sums[entry.account] = sums.get(entry.account, ZERO) + entry.amount
        name = ""
        if entry.name is not None:
            for table in ("Customer", "Vendor", "Employee"):
                found = company.get(table, entry.name)
                name = found["DisplayName"] if found else name
        cells = _cells(
            posting.day.isoformat(),
            {"value": posting.entity, "id": posting.txn},
            posting.number,
            name,
            entry.memo,
            format(entry.amount, ".2f"),
            format(sums[entry.account], ".2f"),
        )
        by_account.setdefault(entry.account, []).append({"ColData": cells, "type": "Data"})
    rows = []
    for account in sorted(by_account, key=lambda identifier: _sort_key(company, identifier)):
        cell = _account_cell(company, account)
        rows.append(
            {
                "Header": {"ColData": _cells(cell, "", "", "", "", "", "")},
                "Rows": {"Row": by_account[account]},
                "Summary": {
                    "ColData": _cells(f"Total for {cell['value']}", "", "", "", "", format(sums[account], ".2f"), "")
                },
                "type": "Section",
            }
        )
    columns = ["Date", "Transaction Type", "Num", "Name", "Memo/Description", "Amount", "Balance"]
    kinds = ["tx_date", "txn_type", "doc_num", "name", "memo", "subt_nat_amount", "rbal_nat_amount"]
    return "GeneralLedger", list(zip(columns, kinds, strict=True)), rows


def _customer_balance(company: Company, _start: date | None, _end: date | None) -> Made:
    rows = []
    total = ZERO
    for row in company.tables["Customer"].rows.values():
        if row.doc["Balance"]:
            total += row.doc["Balance"]
            cell = {"value": row.doc["FullyQualifiedName"], "id": row.doc["Id"]}
            rows.append({"ColData": _cells(cell, format(row.doc["Balance"], ".2f"))})
    rows.append(_total("TOTAL", "GrandTotal", total))
    return "CustomerBalance", [("", "Customer"), ("Total", "Money")], rows
