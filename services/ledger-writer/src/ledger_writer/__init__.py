"""Brings each company's ledger into the wanted state."""
