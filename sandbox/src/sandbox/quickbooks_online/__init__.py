"""A stand-in for QuickBooks Online: Intuit's Accounting API v3 and its OAuth 2 on a loopback port.

It is a server of its own: it shares no code with the services and is never imported by one. State lives in memory,
amounts are Decimals, every posting document writes a balanced ledger posting. Paths under ``/_sandbox/`` steer it
(faults, limits, seeds, snapshots) and are no part of Intuit's interface.
"""
