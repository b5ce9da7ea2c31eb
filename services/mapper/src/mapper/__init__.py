"""Decides which accounting documents an order becomes."""
