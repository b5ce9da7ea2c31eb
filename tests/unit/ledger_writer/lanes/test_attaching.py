"""The file that names a summary's orders."""

import csv
import io

from ledger_writer.lanes.attaching import listed


def test_every_order_is_a_row_whatever_its_number_is() -> None:
    orders = ("#1", 'A "quoted", B', "x\ny", "1001")
    rows = list(csv.reader(io.StringIO(listed(orders).decode())))
    assert rows == [["order"], *([one] for one in orders)]


def test_a_number_that_a_spreadsheet_would_run_is_text() -> None:
    assert listed(("=1+1", "@a")).decode().splitlines() == ["order", "'=1+1", "'@a"]
