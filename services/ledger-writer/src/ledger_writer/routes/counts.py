"""How many documents and list entries a tenant has, and how many sets are mirrored here."""

from common.counting import counting_routes
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.transactions import TransactionSet

# A document is told of from revision 1 on. A company file counts once it was connected, and without its revision,
# which beginning to sign in raises too. Of the lists, only those that orders are matched with are mirrored.
router = counting_routes(
    {
        TransactionSet: "SELECT company_id, connection_id, count(*), sum(revision) FROM sets"
        " WHERE tenant_id = $1 GROUP BY 1, 2",
        DocumentChanged: "SELECT company_id, connection_id, count(*), sum(revision) FROM documents"
        " WHERE tenant_id = $1 AND revision > 0 GROUP BY 1, 2",
        CompanyChanged: "SELECT company_id, '', 1, 0 FROM companies WHERE tenant_id = $1 AND external_id <> ''",
        CatalogEntry: "SELECT c.company_id, '', count(*), sum(c.revision) FROM catalog AS c"
        " JOIN companies AS o USING (company_id)"
        " WHERE o.tenant_id = $1 AND c.list_name IN ('items', 'customers') GROUP BY 1",
    }
)
