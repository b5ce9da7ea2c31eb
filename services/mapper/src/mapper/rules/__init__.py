"""The rules engine of section 22: conditions and actions as data, compiled once per revision."""
