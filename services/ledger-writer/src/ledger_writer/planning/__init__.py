"""What to do next about documents: pure decisions over values, no clock and no I/O.

`plan` compares what is wanted with what was written, `judge` says what a look-up found, `states` is the state
machine. Everything here can be tested as a table.
"""
