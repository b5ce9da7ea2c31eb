"""Alembic revisions of the schema `mapper`."""
