"""Alembic revisions of the schema `ledger_writer`."""
