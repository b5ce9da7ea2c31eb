"""What a change of a ledger's lists may have repaired: such documents are tried again without anybody asking."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from common.database import Connection, affected
from common.messages.documents import CatalogEntry

_REFERENCES: Final = ("REFERENCE_INVALID", "OBJECT_NOT_FOUND")
"""The ledger's own refusals, which name what they miss by its id at most."""
_WHOLE: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": (
        "ACCOUNT_MISSING",
        "ACCOUNT_TYPE_WRONG",
        "ACCOUNT_CURRENCY",
        "DISCOUNT_ACCOUNT_MISSING",
        "MAPPING_MISSING",
        *_REFERENCES,
    ),
    "tax_codes": ("TAX_CODE_MISSING", "TAX_CODE_INVALID", *_REFERENCES),
    **dict.fromkeys(("payment_methods", "terms", "classes", "departments"), _REFERENCES),
}
"""List that seldom changes → codes of what any change of it may have repaired."""
_BY_NAME: Final[Mapping[str, str]] = {"customers": "CUSTOMER", "vendors": "VENDOR", "items": "PRODUCT"}
"""List that changes with every order → how the codes of what it lacks begin."""

_TRY_AGAIN = """
UPDATE documents SET state = 'queued', seq = nextval('due_seq'), blocked_by = NULL
WHERE company_id = $1 AND code = ANY($2::text[]) AND state IN ('blocked', 'action_required')
"""
_NAMED = "lower(CASE WHEN reason LIKE '{%' THEN reason::jsonb ->> 'value' END) = ANY($3::text[])"


async def try_again(connection: Connection, company_id: str, changed: Sequence[CatalogEntry]) -> int:
    """Queue documents that lacked one of these entries, new or changed in the ledger. Returns how many."""
    by_list: dict[str, list[CatalogEntry]] = defaultdict(list)
    for entry in changed:
        by_list[entry.list_name].append(entry)
    codes = sorted({code for name in by_list for code in _WHOLE.get(name, ())})
    queued = affected(await connection.execute(_TRY_AGAIN, company_id, codes)) if codes else 0
    for list_name, start in _BY_NAME.items():
        names = {text.lower() for one in by_list[list_name] for text in (one.name, one.full_name, one.sku) if text}
        if names:
            lacking = [f"{start}_{what}" for what in ("MISSING", "INACTIVE", "AMBIGUOUS")]
            status = await connection.execute(f"{_TRY_AGAIN} AND {_NAMED}", company_id, lacking, sorted(names))
            queued += affected(status)
    return queued
