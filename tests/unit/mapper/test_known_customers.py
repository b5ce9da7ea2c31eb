"""Which customers a running replica takes for known, as the ledger's list changes under it."""

from common.messages.documents import CatalogEntry
from mapper.store.configurations import _Items


def customer(ledger_id: str, name: str, email: str = "", *, active: bool = True) -> CatalogEntry:
    return CatalogEntry(
        tenant_id="t",
        revision=1,
        company_id="com",
        list_name="customers",
        ledger_id=ledger_id,
        name=name,
        full_name=name,
        email=email,
        active=active,
    )


def test_a_customer_made_inactive_or_renamed_is_known_no_longer_by_what_nobody_else_has() -> None:
    known = _Items()
    known.put_customers([customer("1", "Jane Roe", "jane@x.example"), customer("2", "Bob", "bob@x.example")])
    known.put_customers([customer("3", "Jane Roe", "office@x.example, jane.roe@x.example")])
    known.put_customers([customer("1", "Jane Roe", "jane@x.example", active=False)])
    assert known.customers == {"jane roe", "bob"}
    assert known.emails == {"bob@x.example", "office@x.example", "jane.roe@x.example"}
    known.put_customers([customer("3", "Jane Doe", "office@x.example")])
    assert known.customers == {"jane doe", "bob"}
    assert known.emails == {"bob@x.example", "office@x.example"}
