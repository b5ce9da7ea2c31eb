"""Lanes: one writer per company file at a time, from due documents to recorded outcomes.

- `holder`      which lanes this replica holds: leases, wake-ups, start and stop
- `lane`        one lane while it is held: open the ledger, work until there is nothing to do
- `work`        one pass: take, plan, look up, commit intents, write, record
- `gathering`   what a pass stands on
- `looking_up`  what may be there already
- `resolving`   what became of requests that got no answer
- `outcomes`    pure: from an outcome to what is recorded and published
- `listing`     reference lists
- `attaching`   a summary's list of orders as a file
- `following`   what others changed in the ledger
- `turns`       requests that routes send beside the lane, within its limits
- `upkeep`      now and then: say what waits, stale lists, old attempts
"""
