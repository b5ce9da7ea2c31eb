"""The pure core: an order, its settings and rules in; the documents it should be in the ledger out.

Nothing here reads a clock, a database or the network, and every amount is an exact decimal. `orders.map_order` is the
front door; each theme of the domain reference has the file of its name.
"""
