"""What a parked message shows to an operator: its shape, ids, codes and amounts, never people or free text."""

from typing import Any

_HARMLESS = """
c t type tenant_id revision connection_id company_id external_id source_kind source_id source_revision source_number
number memo_number run_id resend_id request_id scope scope_id kind state outcome code severity channel currency total
amount status order_keys document_keys document_key key connection_revision company_revision rules_revision
catalog_revision financial_status fulfillment_status lifecycle date ordered_on received_at created_at modified_at
documents list_name ledger_id ledger wanted ordinal attempts first_seen_at last_attempt_at next_attempt_at entity
horizon link mode start_date closed_through quantity unit_price rate
"""
_SHOWN = frozenset(_HARMLESS.split())
MASK = "•••"


def mask(value: Any, name: str = "") -> Any:
    """Copy JSON with every string and number masked whose field is not known to be harmless."""
    if isinstance(value, dict):
        return {key: mask(held, key) for key, held in value.items()}
    if isinstance(value, list):
        return [mask(held, name) for held in value]
    if value is None or isinstance(value, bool) or name in _SHOWN:
        return value
    return MASK


def mask_headers(headers: dict[str, Any]) -> dict[str, Any]:
    """Our own headers are facts we wrote ourselves; anything else a message carried is masked."""
    return {name: value if name.startswith("x-") else MASK for name, value in headers.items()}
