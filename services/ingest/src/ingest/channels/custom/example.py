"""One order document as a store would push it, for people who write the other side."""

from collections.abc import Mapping
from typing import Any, Final

EXAMPLE: Final[Mapping[str, Any]] = {
    "external_id": "1001",
    "order_number": "#1001",
    "status": "paid",
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:05:00Z",
    "currency": "USD",
    "prices_include_tax": False,
    "customer": {"external_id": "7", "first_name": "Ada", "last_name": "Example", "email": "ada@shop.example"},
    "lines": [
        {
            "external_id": "1",
            "sku": "MUG-1",
            "name": "Mug",
            "quantity": "2",
            "unit_price": "10.00",
            "taxes": [{"name": "Sales tax", "rate": "0.05", "amount": "1.00"}],
        }
    ],
    "shipping": [{"name": "Post", "amount": "4.00"}],
    "totals": {"tax": "1.00", "grand_total": "25.00"},
    "payments": [
        {
            "external_id": "p-1",
            "method": "card",
            "amount": "25.00",
            "currency": "USD",
            "paid_at": "2026-01-31T12:04:00Z",
        }
    ],
}
