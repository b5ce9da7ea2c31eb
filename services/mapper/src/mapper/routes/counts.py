"""How many sets a tenant has, and how much is mirrored here of what others own."""

from typing import Final

from common.counting import counting_routes
from common.messages.documents import CatalogEntry, CompanyChanged
from common.messages.orders import Order, Payout
from common.messages.transactions import TransactionSet, TransactionsListed

_SETS: Final = "SELECT company_id, connection_id, count(*), sum(revision) FROM sets WHERE tenant_id = $1 GROUP BY 1, 2"

# A company file whose catalog came first has a row without a body, and revisions of company files rise unsent too.
router = counting_routes(
    {
        TransactionsListed: _SETS,
        TransactionSet: _SETS,
        Order: "SELECT '', connection_id, count(*), sum(revision) FROM orders WHERE tenant_id = $1 GROUP BY 2",
        Payout: "SELECT '', connection_id, count(*), sum(revision) FROM payouts WHERE tenant_id = $1 GROUP BY 2",
        CompanyChanged: "SELECT company_id, '', 1, 0 FROM companies WHERE tenant_id = $1 AND body <> ''",
        CatalogEntry: "SELECT company_id, '', count(*), sum(revision) FROM catalog WHERE tenant_id = $1 GROUP BY 1",
    }
)
