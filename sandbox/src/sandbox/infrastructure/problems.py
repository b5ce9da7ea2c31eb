"""What goes wrong outside our control, told in one sentence that says what to do."""


class CannotProvision(Exception):
    """A server can't be found or started. The message is one sentence for the person at the keyboard, with the cure."""
