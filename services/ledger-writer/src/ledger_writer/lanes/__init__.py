"""Lanes: one writer per company file at a time, from due documents to recorded outcomes.

holder.py     which lanes this replica holds: leases, wake-ups, start and stop
lane.py       one lane while it is held: open the ledger, work until there is nothing to do
work.py       one pass: take, plan, look up, commit intents, write, record
gathering.py  what a pass stands on
outcomes.py   pure: from an outcome to what is recorded and published
"""
