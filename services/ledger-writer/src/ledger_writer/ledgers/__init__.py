"""The ledgers that company files can be paired with: one folder each, listed here."""

from collections.abc import Mapping

from ledger_writer.ledgers import beancount, quickbooks_online
from ledger_writer.ledgers.protocol import Ledger

LEDGERS: tuple[Ledger, ...] = (beancount.LEDGER, quickbooks_online.LEDGER)
BY_NAME: Mapping[str, Ledger] = {ledger.name: ledger for ledger in LEDGERS}
