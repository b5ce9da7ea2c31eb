"""What can be wrong with something a channel sent. Each says which field, which value, and what a person can do."""

from datetime import datetime

from common.cures import FieldProblem
from common.errors import Rejected, TillbookError
from common.messages.base import Reason, Severity

_VALUE_LENGTH_MAX = 120

CONNECTION_DISABLED = Reason(code="CONNECTION_DISABLED", text="the connection is switched off", cure="switch it on")
NO_API_ACCESS = Reason(
    code="NO_API_ACCESS",
    text="This connection has no access to fetch with: its store only pushes.",
    cure="Add API credentials to it, or let the store push its orders.",
)
PRODUCT_FAULT = Reason(
    code="PRODUCT_FAULT",
    text="A fault of tillbook keeps this order from being read; the fault is in the service's log.",
    cure="Report it with the order number. What the channel sent is kept, and read again by itself every few hours.",
)

DELIVERY_FAULT = Reason(
    code="PRODUCT_FAULT",
    text="A fault of tillbook keeps a delivery of the channel from being opened, so which order it is of is not known."
    " The fault is in the service's log.",
    cure="Report it. What the channel sent is kept, and opened again by itself every few hours.",
)


def delivery_opened(order_ids: list[str]) -> Reason:
    """What is left of a delivery that was kept for a fault of ours, once that is mended."""
    brought = ", ".join(order_ids[:20])
    text = f"what it brought is listed as {brought}" if brought else "it brought no order"
    return Reason(code="DELIVERY_OPENED", text=f"A delivery that was kept could be opened later: {text}.")


class NormalizationError(Rejected):
    """The channel's data can't become an order. Nothing is guessed: the raw parts stay, the order is listed with this.

    `field` is the path in the channel's own words, `value` what stood there, `cure` what a bookkeeper or developer
    can do about it.
    """

    def __init__(self, field: str, value: object, cure: str, *, code: str = "UNREADABLE_ORDER", text: str = "") -> None:
        shown = "" if value is None else str(value)[:_VALUE_LENGTH_MAX]
        sentence = text or f"{field} has a value that can't be used: {shown!r}"
        super().__init__(Reason(code=code, text=sentence[:4000], cure=cure[:500], field=field[:500], value=shown))


class OutOfScope(Rejected):
    """An order that never syncs (a test order, a draft, a deleted one). `reason` names why; it is not a fault."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(Reason(code=code, text=text))


class IncompleteOrder(TillbookError):
    """Parts of the order are missing or contradict each other: it must be fetched again before anything is concluded.

    `missing` names what, in words for a person; `cure` says what to do where nothing can be fetched.
    """

    def __init__(self, missing: str, cure: str) -> None:
        super().__init__(missing)
        self.missing = missing
        self.cure = cure

    def waiting(self) -> Reason:
        """Shown while the order waits for its refetch."""
        return Reason(code="WAITING_FOR_DETAILS", text=f"{self.missing}; the order is being fetched again", cure="")

    def refused(self) -> Reason:
        """Shown where the connection has no access to fetch with."""
        return Reason(code="DETAILS_MISSING", text=f"{self.missing}, and this connection can't fetch", cure=self.cure)


class SignatureInvalid(TillbookError):
    """A delivery that was not made with the connection's secret, or is too old to be trusted.

    `code` and `cure` tell its sender which of these it is, `header` where the signature is looked for, and `value` the
    time it names, where that is what is wrong. None holds anything of a secret or of a signature.
    """

    def __init__(self, text: str, *, header: str, code: str, cure: str, value: str | None = None) -> None:
        super().__init__(text)
        self.header = header
        self.code = code
        self.cure = cure
        self.value = value


class WrongShop(TillbookError):
    """A genuine delivery of another shop, which signs with the same secret: all shops of one app do."""

    def __init__(self, sent: str, connected: str) -> None:
        super().__init__(f"this delivery is of the shop {sent[:253]!r}, and the connection is of {connected!r}")
        self.sent = sent


class BodyUnreadable(TillbookError):
    """A signed delivery whose body is not what its topic says. `fields` are what is wrong, for its sender alone: their
    values may be of people. `text` holds none and may be logged."""

    def __init__(self, text: str, fields: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(text)
        self.fields = fields


def same_version(at: datetime) -> Reason:
    """Other content came under a time of change that is stored already, and the stored content stays."""
    return Reason(
        code="SAME_UPDATED_AT",
        text=f"Another version of this order has the same updated_at ({at.isoformat()}) and stays.",
        cure="Send it again with a later updated_at: of two versions the later one counts.",
        field="updated_at",
        value=at.isoformat(),
        severity=Severity.WARNING,
    )
