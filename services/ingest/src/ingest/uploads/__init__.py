"""Payout files that people upload: one module per format, each cut into payouts and read by a pure function."""

from ingest.uploads import payout_csv, settlement
from ingest.uploads.file import FileFormat

FORMATS: tuple[FileFormat, ...] = (settlement.FORMAT, payout_csv.FORMAT)
BY_NAME: dict[str, FileFormat] = {one.name: one for one in FORMATS}

__all__ = ["BY_NAME", "FORMATS"]
