"""Document numbers and memos (section 10)."""

from mapper.mapping.case import Case


def document_number(case: Case, *, mirrored: bool = False, repeat: int = 0, instead: str = "") -> str | None:
    """Number to write, or None where the ledger assigns it.

    `mirrored` documents (sales orders) carry the order number under either policy, because the closing invoice finds
    them by it. `instead` replaces the order number. `repeat` counts second and later documents of one order: `100`,
    `100-1`, `100-2`. A number that is too long for the ledger keeps its suffix and loses its end: equality is decided
    on the memo, which is never cut.
    """
    if case.connection.numbers.policy == "next" and not mirrored:
        return None
    if not case.configuration.ledger.custom_numbers:
        return None
    suffix = f"-{repeat}" if repeat else ""
    whole = f"{case.prefix}{instead or case.order.number}"
    return whole[: case.configuration.number_length - len(suffix)] + suffix


def next_number_unavailable(case: Case) -> bool:
    """Whether the policy leaves numbers to a ledger that will assign none."""
    return case.connection.numbers.policy == "next" and not case.configuration.ledger.assigns_numbers
