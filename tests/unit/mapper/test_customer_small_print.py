"""Names and customers at the edges: empty parts, the store's own customer, limits, links, and what is sent along."""

from functools import partial
from typing import Any

import pytest
from tests.unit.mapper.samples import configuration, example_a, ledger, mapped, tender
from tests.unit.mapper.test_customers import BUYER

from common.messages.orders import Address, Customer, Order
from common.messages.transactions import CustomerWanted, MissingPolicy
from mapper.mapping.catalog import Catalog, CustomerLink


def wanted(order: Order, catalog: Catalog | None = None, **customers: Any) -> CustomerWanted:
    (customer,) = mapped(order, configuration(customers=customers or {"strategy": "first_last"}), catalog).customers
    return customer


def of(customer: Customer | None, **addresses: Address | None) -> Order:
    given: dict[str, Any] = {"billing_address": None, "shipping_address": None, **addresses}
    return BUYER.model_copy(update={"customer": customer, **given})


NAMES = [
    ("last_first", of(Customer(first_name="Ada")), "Ada"),
    ("last_first", of(Customer(last_name="Lovelace")), "Lovelace"),
    ("last_first", of(Customer(last_name="Lovelace"), billing_address=Address(name="Charles Babbage")), "Lovelace"),
    ("last_first", of(Customer(first_name="Ada"), billing_address=Address(name="Charles Babbage")), "Ada"),
    ("last_first", of(Customer(), billing_address=Address(name="Ada King Lovelace")), "Lovelace, Ada King"),
    ("last_first", of(Customer(), billing_address=Address(name=" Ada ")), "Ada"),
    ("last_first_middle", of(Customer(middle_name="King", last_name="Lovelace")), "Lovelace, King"),
    ("last_first_middle", of(None, billing_address=Address(name="Ada Lovelace")), "Lovelace, Ada"),
    ("billing_company_or_single", of(Customer(company="Engines Ltd")), "Engines Ltd"),
    ("billing_company_or_single", of(Customer(first_name="Ada")), "Web Store"),
    ("billing_company_or_single", of(None), "Web Store"),
    ("shipping_company_or_last_first", of(Customer(first_name="Ada", last_name="Lovelace")), "Lovelace, Ada"),
    ("email", of(Customer(first_name="Ada", emails=(" , ",))), "Ada"),
    ("first_last", of(None, shipping_address=Address(name="Charles")), "Charles"),
    ("first_last", of(None, billing_address=Address(company="Engines Ltd")), "Engines Ltd"),
    ("first_last", of(None, shipping_address=Address(company="Mill Inc")), "Mill Inc"),
    ("first_last", of(None), "Web Store"),
    ("first_last", of(Customer(first_name=":\t", last_name="\n")), "Web Store"),
]


@pytest.mark.parametrize(("strategy", "order", "name"), NAMES)
def test_a_name_is_made_from_the_parts_that_are_there(strategy: str, order: Order, name: str) -> None:
    assert wanted(order, strategy=strategy).display_name == name
    assert wanted(order, strategy=strategy, single_name="Counter").display_name == name.replace("Web Store", "Counter")
    assert wanted(order, strategy=strategy, single_name=":").display_name == name


def test_a_buyer_whom_the_ledger_does_not_know_is_the_single_customer_where_settings_say_so() -> None:
    by_mail = partial(wanted, BUYER, strategy="email", missing="single")
    assert by_mail().display_name == "Web Store"
    assert by_mail(single_name="Counter").display_name == "Counter"
    assert by_mail(Catalog(customers={"ada@x.org"})).display_name == "Web Store"
    known = by_mail(Catalog(customer_emails={"ada@x.org"}))
    assert (known.display_name, known.match_field) == ("ada@x.org", "email")
    assert by_mail().match_field == "display_name"


def test_a_namesake_whom_the_ledger_does_not_have_is_no_known_customer() -> None:
    taken = Catalog(customers={"ada lovelace"}, customer_addresses={"ada lovelace": frozenset({"other@x.org"})})
    namesake = {"strategy": "name_then_email", "missing": "single"}
    assert wanted(BUYER, taken, **namesake).display_name == "Web Store"
    nobody = of(Customer(first_name="Ada", last_name="Lovelace"))
    assert wanted(nobody, taken, **namesake).display_name == "Ada Lovelace"
    guest = of(None, billing_address=Address(name="Ada Lovelace"))
    assert wanted(guest, taken, **namesake).display_name == "Ada Lovelace"


def test_a_customer_is_known_by_any_address_of_the_buyer() -> None:
    taken = Catalog(customers={"ada lovelace"}, customer_addresses={"ada lovelace": frozenset({"other@x.org"})})
    for emails in (("ada@x.org,Other@x.org",), ("ada@x.org", "other@x.org")):
        buyer = of(Customer(external_id="c1", first_name="Ada", last_name="Lovelace", emails=emails))
        assert wanted(buyer, taken, strategy="name_then_email").display_name == "Ada Lovelace"
    stranger = of(Customer(external_id="c1", first_name="Ada", last_name="Lovelace", emails=("ada@x.org, a@x.org",)))
    assert wanted(stranger, taken, strategy="name_then_email").display_name == "Ada Lovelace (ada@x.org)"
    unlisted = Catalog(customers={"ada lovelace"})
    assert wanted(stranger, unlisted, strategy="name_then_email").display_name == "Ada Lovelace"


@pytest.mark.parametrize(("length", "cut"), [(40, False), (41, False), (42, True)])
def test_a_name_is_cut_only_beyond_the_ledgers_limit(length: int, *, cut: bool) -> None:
    long = of(Customer(first_name="A", last_name="L" * (length - 2)))
    result = mapped(long, configuration(file=ledger(name="quickbooks_desktop")))
    (customer,) = result.customers
    notices = [one for document in result.documents for one in document.notices if one.code == "NAME_TRUNCATED"]
    assert bool(notices) is cut
    assert len(customer.display_name) == min(length, 41)
    if cut:
        assert "41" in notices[0].text
        assert "A LLL" in f"{notices[0].text} {notices[0].value}"


def test_a_cut_name_does_not_end_with_a_space() -> None:
    spaced = of(Customer(first_name="A" * 40, last_name="Lovelace"))
    (customer,) = mapped(spaced, configuration(file=ledger(name="quickbooks_desktop"))).customers
    assert customer.display_name == "A" * 40


def test_only_orders_in_another_currency_get_a_customer_of_their_own() -> None:
    home = mapped(BUYER, configuration(file=ledger(multi_currency=True)))
    assert home.customers[0].display_name == "Ada Lovelace"
    euro = BUYER.model_copy(update={"currency": "EUR", "tenders": (tender("77.00", currency="EUR"),)})
    at_home = mapped(euro, configuration(file=ledger(multi_currency=True, home_currency="EUR")))
    assert at_home.customers[0].display_name == "Ada Lovelace"


def test_a_customer_that_somebody_asked_for_is_made_even_where_unknown_ones_stop() -> None:
    asked = Catalog(customer_links={"c1": CustomerLink("create", "k" * 32)})
    assert wanted(BUYER, asked, strategy="first_last", missing="stop").missing is MissingPolicy.CREATE
    linked = Catalog(customer_links={"c1": CustomerLink("existing", "k" * 32, "77")})
    assert wanted(BUYER, linked, strategy="first_last", missing="stop").missing is MissingPolicy.STOP


def test_the_stores_own_customer_carries_no_contact_data_but_link_and_currency() -> None:
    linked = Catalog(customer_links={"c1": CustomerLink("existing", "k" * 32, "77", "Counter")})
    store = wanted(BUYER, linked, strategy="single", missing="stop")
    assert store == CustomerWanted(
        key="k" * 32, display_name="Counter", ledger_id="77", missing=MissingPolicy.STOP, currency="USD"
    )


def test_a_buyer_is_sent_with_what_the_order_says_of_him() -> None:
    buyer = Customer(
        external_id="c1", first_name="Ada", last_name="Lovelace", emails=(" , ada@x.org",), tax_exempt=True, phone="1"
    )
    billing, shipping = Address(company="Engines Ltd", phone="2"), Address(city="London")
    customer = wanted(of(buyer, billing_address=billing, shipping_address=shipping))
    assert (customer.company, customer.email, customer.phone) == ("Engines Ltd", "ada@x.org", "1")
    assert (customer.first_name, customer.last_name) == ("Ada", "Lovelace")
    assert (customer.taxable, customer.currency, customer.source_external_id) == (False, "USD", "c1")
    assert (customer.billing_address, customer.shipping_address) == (billing, shipping)
    assert (customer.missing, customer.match_field) == (MissingPolicy.CREATE, "display_name")
    bare = wanted(example_a(customer=Customer(first_name="Ada"), billing_address=billing))
    assert (bare.phone, bare.taxable, bare.ledger_id) == ("2", True, None)


def test_a_contact_follows_the_orders_where_settings_say_so_and_only_that_of_a_buyer() -> None:
    for asked, moment in ((True, BUYER.created_at), (False, None)):
        assert wanted(BUYER, strategy="first_last", refresh_contact=asked).contact_at == moment
    for strategy in ("single", "store_type"):
        assert wanted(BUYER, strategy=strategy, refresh_contact=True).contact_at is None
