"""No encrypted column is forgotten when keys change."""

import pytest
import sqlalchemy as sa

import api.tables
import ingest.tables
import ledger_writer.tables
from api.dead_letters.letters import SEALED as API
from common.resealing import Sealed
from ingest.store.sealed import SEALED as INGEST
from ledger_writer.store.secrets import SEALED as LEDGER_WRITER

PLAIN = {"outbox.body", "orders.state_hash", "payouts.state_hash", "deliveries.digest", "payout_parts.digest"}
"""Bytes that are no ciphertext: outgoing messages and hashes."""
SHORT_LIVED = {"idempotency.answer"}
"""Gone within a day, before a key may be taken away."""


@pytest.mark.parametrize(
    ("metadata", "sealed"),
    [(api.tables.METADATA, API), (ingest.tables.METADATA, INGEST), (ledger_writer.tables.METADATA, LEDGER_WRITER)],
    ids=["api", "ingest", "ledger-writer"],
)
def test_every_column_of_bytes_is_sealed_or_known_to_be_plain(
    metadata: sa.MetaData, sealed: tuple[Sealed, ...]
) -> None:
    of_bytes = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }
    known = {name for name in of_bytes if name in PLAIN | SHORT_LIVED or name.endswith("_hash")}
    assert of_bytes - known == {f"{one.table}.{one.column}" for one in sealed}
    for one in sealed:
        assert {column.name for column in metadata.tables[one.table].primary_key} <= set(one.key)
