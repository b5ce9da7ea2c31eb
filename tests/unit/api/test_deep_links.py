"""Links lead to the page on which the ledger itself shows an object, in the company that it is in."""

import pytest

from api.deep_links import url_of
from common.messages.transactions import DocumentKind

QUICKBOOKS = "https://qbo.intuit.com"
WITHOUT_PAGE = {DocumentKind.ITEM, DocumentKind.SALES_ORDER, DocumentKind.INVENTORY_ADJUSTMENT}


def link(kind: str, ledger: str = "quickbooks_online", company: str = "9341", ledger_id: str = "130") -> str:
    return url_of(ledger, company, kind, ledger_id, f"{QUICKBOOKS}/")


def test_a_link_chooses_the_company_and_then_the_page() -> None:
    begins = f"{QUICKBOOKS}/app/login?pagereq="
    assert link("invoice") == f"{begins}invoice%3FtxnId%3D130&deeplinkcompanyid=9341"
    assert link("payment") == f"{begins}recvpayment%3FtxnId%3D130&deeplinkcompanyid=9341"
    assert link("customer") == f"{begins}customerdetail%3FnameId%3D130&deeplinkcompanyid=9341"


@pytest.mark.parametrize("kind", DocumentKind)
def test_every_kind_that_quickbooks_has_a_page_for_has_a_link(kind: DocumentKind) -> None:
    assert (link(kind.value) == "") == (kind in WITHOUT_PAGE)


def test_without_a_page_an_id_or_a_company_there_is_no_link() -> None:
    assert link("invoice", ledger="beancount") == ""
    assert link("invoice", company="") == ""
    assert link("invoice", ledger_id="") == ""


def test_an_id_can_not_change_where_a_link_leads() -> None:
    assert link("invoice", ledger_id="1&x=/..", company="9#a") == (
        f"{QUICKBOOKS}/app/login?pagereq=invoice%3FtxnId%3D1%26x%3D%2F..&deeplinkcompanyid=9%23a"
    )
