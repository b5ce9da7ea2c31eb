"""What goes wrong, and the exit status that says so."""

from enum import IntEnum


class Exit(IntEnum):
    """Statuses that scripts can rely on; 2 is what the argument parser uses."""

    OK = 0
    NOT_RIGHT = 1
    """The command worked, and what it looked at is not as it should be: an order failed, a replay failed again."""
    REFUSED = 3
    """The API refused the request: see the message."""
    UNREACHABLE = 4
    """The API did not answer, or a part of it is away: try again later."""
    NOT_CONFIGURED = 5
    """No address or key, or the key is not valid."""


class CommandFailed(Exception):
    """Ends a command with a message for people and a status for scripts."""

    def __init__(self, text: str, status: Exit, *, cure: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.cure = cure
        self.details = details
