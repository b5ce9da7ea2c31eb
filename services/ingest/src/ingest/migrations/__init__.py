"""Alembic revisions of the schema `ingest`."""
