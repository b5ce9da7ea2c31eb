"""Section 16: strategies, comparison, names, currencies, connections."""

from datetime import date

import pytest
from tests.unit.mapper.samples import configuration, example_a, ledger, mapped, tender

from common.internal.mapper_rules import Action
from common.messages.control import CustomerStrategy
from common.messages.orders import Address, Customer, Order
from common.messages.transactions import MissingPolicy, TransactionSet
from mapper.mapping.catalog import Catalog, CustomerLink, link_name
from mapper.mapping.customers import STRATEGIES
from mapper.rules.compiling import compile_rules
from mapper.rules.model import Rule

BUYER = example_a(
    number="1001",
    store_name="Nordic",
    store_type="Shopify",
    customer=Customer(
        external_id="c1", first_name="Ada", middle_name="King", last_name="Lovelace", emails=("ada@x.org, a@y.org",)
    ),
    billing_address=Address(name="Ada K Lovelace", company="Engines Ltd"),
    shipping_address=Address(name="Charles Babbage", company="Mill Inc"),
)
WANTED = {
    "first_last": "Ada Lovelace",
    "last_first": "Lovelace, Ada",
    "first_last_email": "Ada Lovelace ada@x.org",
    "last_first_email": "Lovelace, Ada ada@x.org",
    "last_first_middle": "Lovelace, Ada King",
    "billing_company_or_first_last": "Engines Ltd",
    "billing_company_or_last_first": "Engines Ltd",
    "billing_company_or_single": "Engines Ltd",
    "shipping_company_or_first_last": "Mill Inc",
    "shipping_company_or_last_first": "Mill Inc",
    "shipping_first_last": "Charles Babbage",
    "shipping_last_first": "Babbage, Charles",
    "shipping_full_name": "Charles Babbage",
    "billing_full_name": "Ada K Lovelace",
    "billing_email_as_name": "ada@x.org",
    "email": "ada@x.org",
    "name_then_email": "Ada Lovelace",
    "store_type": "Shopify",
    "store_name_and_currency": "Nordic USD",
    "order_number": "1001",
    "single": "Web Store",
}


def customer_of(result: TransactionSet) -> str:
    (customer,) = result.customers
    return customer.display_name


@pytest.mark.parametrize(("strategy", "wanted"), WANTED.items())
def test_each_strategy_builds_its_name(strategy: str, wanted: str) -> None:
    assert customer_of(mapped(BUYER, configuration(customers={"strategy": strategy}))) == wanted


def test_every_strategy_has_a_reader() -> None:
    assert set(STRATEGIES) == set(CustomerStrategy) == {CustomerStrategy(name) for name in WANTED}


def test_companies_fall_back_to_names_and_nameless_orders_to_something() -> None:
    plain = BUYER.model_copy(update={"billing_address": None, "shipping_address": None})
    settings = configuration(customers={"strategy": "billing_company_or_last_first"})
    assert customer_of(mapped(plain, settings)) == "Lovelace, Ada"
    nameless = plain.model_copy(update={"customer": None})
    assert customer_of(mapped(nameless, settings)) == "Web Store"
    only_mail = plain.model_copy(update={"customer": Customer(emails=("x@y.org",))})
    assert customer_of(mapped(only_mail, settings)) == "x@y.org"


def key_of(order: Order, **customers: str) -> str:
    (customer,) = mapped(order, configuration(customers=customers or {"strategy": "first_last"})).customers
    return customer.key


def test_names_are_compared_without_case_spaces_and_unicode_forms_but_never_fuzzily() -> None:
    def named(first: str, last: str) -> Order:
        return BUYER.model_copy(update={"customer": Customer(first_name=first, last_name=last)})

    assert key_of(named("ADA", "Lovelace")) == key_of(named(" Ada ", "lovelace"))
    assert key_of(named("Ａda", "Lovelace")) == key_of(named("Ada", "Lovelace"))
    assert key_of(named("Jones &", "Jones")) != key_of(named("Jones and", "Jones"))


def test_forbidden_characters_are_stripped_and_long_names_cut_with_a_notice() -> None:
    odd = BUYER.model_copy(update={"customer": Customer(first_name="A:d\ta", last_name="L" * 60)})
    result = mapped(odd, configuration(file=ledger(name="quickbooks_desktop")))
    assert customer_of(result) == "A d a " + "L" * 35
    assert [one.code for one in result.documents[0].notices] == ["NAME_TRUNCATED"]


def test_another_currency_gets_a_customer_of_its_own() -> None:
    euro = BUYER.model_copy(update={"currency": "EUR", "tenders": (tender("77.00", currency="EUR"),)})
    result = mapped(euro, configuration(file=ledger(multi_currency=True)))
    assert customer_of(result) == "Ada Lovelace (EUR)"
    assert result.customers[0].currency == "EUR"
    assert result.customers[0].key != key_of(BUYER)
    by_store = configuration(file=ledger(multi_currency=True), customers={"strategy": "store_name_and_currency"})
    assert customer_of(mapped(euro, by_store)) == "Nordic EUR"
    refused = mapped(euro, configuration())
    assert refused.reason is not None
    assert refused.reason.code == "CURRENCY_NOT_ENABLED"


def named(first: str, last: str, **changes: object) -> Order:
    buyer = Customer(external_id="c1", first_name=first, last_name=last, emails=("ada@x.org",))
    return BUYER.model_copy(update={"customer": buyer, **changes})


@pytest.mark.parametrize("strategy", ["first_last", "last_first_email", "email", "name_then_email"])
def test_a_renamed_buyer_keeps_the_customer_of_the_account(strategy: str) -> None:
    married = named("Ada", "King")
    assert key_of(married, strategy=strategy) == key_of(BUYER, strategy=strategy)
    (customer,) = mapped(married, configuration(customers={"strategy": "first_last"})).customers
    assert customer.display_name == "Ada King", "while it is not in the ledger, it is looked for by its present name"
    other_shop = BUYER.model_copy(update={"connection_id": "shop-2"})
    assert key_of(other_shop, strategy=strategy) != key_of(BUYER, strategy=strategy), (
        "two shops number their own buyers"
    )
    other_account = BUYER.model_copy(update={"customer": Customer(external_id="c2", first_name="Ada")})
    assert key_of(other_account, strategy=strategy) != key_of(BUYER, strategy=strategy)


def test_an_account_has_a_customer_for_each_currency() -> None:
    books = configuration(file=ledger(multi_currency=True))
    euro = {"currency": "EUR", "tenders": (tender("77.00", currency="EUR"),)}
    first, renamed = (mapped(named("Ada", last, **euro), books).customers[0] for last in ("Lovelace", "King"))
    assert (first.key, first.display_name) == (renamed.key, "Ada Lovelace (EUR)")
    assert first.key != key_of(BUYER)


def test_a_company_a_recipient_a_store_or_a_rules_customer_is_not_the_buyers_account() -> None:
    def both(strategy: str, **changes: object) -> tuple[str, str]:
        return key_of(BUYER, strategy=strategy), key_of(BUYER.model_copy(update=changes), strategy=strategy)

    elsewhere = Address(name="Charles Babbage", company="Looms Inc")
    for strategy in ("billing_company_or_first_last", "billing_company_or_last_first", "billing_company_or_single"):
        one, other = both(strategy, billing_address=elsewhere)
        assert one != other, strategy
    for strategy in ("shipping_company_or_first_last", "shipping_company_or_last_first"):
        one, other = both(strategy, shipping_address=elsewhere)
        assert one != other, strategy
    one, other = both("shipping_full_name", shipping_address=Address(name="George Boole"))
    assert one != other
    one, other = both("order_number", number="1002")
    assert one != other
    one, other = both("single", customer=Customer(external_id="c2"))
    assert one == other
    no_company = {"billing_address": None, "shipping_address": None}
    for strategy in ("billing_company_or_first_last", "shipping_company_or_last_first"):
        plain, renamed = (named("Ada", last, **no_company) for last in ("Lovelace", "King"))
        assert key_of(plain, strategy=strategy) == key_of(renamed, strategy=strategy), (
            "without a company it is a person"
        )
    named_by_rule = Rule(name="r", action=Action.MAP_CUSTOMER_NAME, value="Counter")
    rules = compile_rules([named_by_rule], connection_id="shop-1", revision=1)
    ruled = mapped(BUYER, configuration(), rules=rules).customers[0]
    guest = mapped(named("", "", customer=Customer(first_name="Counter")), configuration())
    assert ruled.key == guest.customers[0].key, "whoever is called so"


def test_the_stores_customer_of_another_currency_has_no_buyers_data() -> None:
    euro = {"currency": "EUR", "tenders": (tender("77.00", currency="EUR"),)}
    books = configuration(file=ledger(multi_currency=True), customers={"missing": "single"}, tax={"method": "override"})
    first, other = (mapped(named("Ada", last, **euro), books).customers[0] for last in ("Lovelace", "King"))
    assert (first.display_name, first.email, first.source_external_id) == ("Web Store (EUR)", "", None)
    assert first == other


def test_missing_policies_decide_who_may_be_made() -> None:
    stop = mapped(BUYER, configuration(customers={"missing": "stop"})).customers[0]
    assert stop.missing is MissingPolicy.STOP
    single = configuration(customers={"missing": "single"})
    assert customer_of(mapped(BUYER, single)) == "Web Store"
    assert customer_of(mapped(BUYER, single, Catalog(customers={"ada lovelace"}))) == "Ada Lovelace"
    by_mail = configuration(customers={"strategy": "name_then_email"})
    taken = Catalog(customers={"ada lovelace"}, customer_addresses={"ada lovelace": frozenset({"other@x.org"})})
    taken.customer_emails = {"other@x.org", "ada@x.org"}
    assert customer_of(mapped(BUYER, by_mail, taken)) == "Ada Lovelace (ada@x.org)", "another customer has her address"
    several = Customer(first_name="Ada", last_name="Lovelace", emails=("x@y.org, other@x.org",))
    both = BUYER.model_copy(update={"customer": several})
    assert customer_of(mapped(both, by_mail, taken)) == "Ada Lovelace", "any equal address is enough"
    taken.customer_addresses = {"ada lovelace": frozenset()}
    assert customer_of(mapped(BUYER, by_mail, taken)) == "Ada Lovelace"


def test_connected_customers_win_over_the_strategy_and_ignored_ones_wait() -> None:
    linked = Catalog(customer_links={"c1": CustomerLink("existing", "k" * 32, "77", "Countess")})
    customer = mapped(BUYER, configuration(), linked).customers[0]
    assert (customer.key, customer.ledger_id, customer.display_name) == ("k" * 32, "77", "Countess")
    ignored = mapped(BUYER, configuration(), Catalog(customer_links={"c1": CustomerLink("ignore")}))
    assert ignored.documents[0].hold is not None
    assert ignored.documents[0].hold.code == "DISMISSED_DEPENDENCY"


def test_a_connection_holds_for_its_customers_currency() -> None:
    books = configuration(file=ledger(multi_currency=True))
    links = {link_name("c1", "USD"): CustomerLink("existing", "k" * 32, "77")}
    euro = named("Ada", "King", currency="EUR", tenders=(tender("77.00", currency="EUR"),))
    dollar, other = (mapped(one, books, Catalog(customer_links=links)).customers[0] for one in (BUYER, euro))
    assert (dollar.key, dollar.ledger_id) == ("k" * 32, "77")
    assert (other.ledger_id, other.display_name) == (None, "Ada King (EUR)")
    links[link_name("c1", "EUR")] = CustomerLink("existing", "e" * 32, "78")
    dollar, other = (mapped(one, books, Catalog(customer_links=links)).customers[0] for one in (BUYER, euro))
    assert (dollar.ledger_id, other.ledger_id) == ("77", "78")
    for_all = Catalog(customer_links={link_name("c1", ""): CustomerLink("existing", "a" * 32, "79")})
    assert [mapped(one, books, for_all).customers[0].ledger_id for one in (BUYER, euro)] == ["79", "79"]


@pytest.mark.vector_core
def test_vector_41_only_documents_from_the_horizon_on_are_in_scope() -> None:
    catalog = Catalog(customer_links={"c1": CustomerLink("existing", "k" * 32, "77", "", date(2026, 3, 5))})
    late = tender("77.00", captured_on=date(2026, 3, 9))
    source = BUYER.model_copy(update={"tenders": (late,)})
    result = mapped(source, configuration("invoices_payments_if_paid"), catalog)
    invoice, payment = result.documents
    assert invoice.hold is not None
    assert invoice.hold.code == "BEFORE_HORIZON"
    assert payment.hold is None
    assert (payment.applications, payment.depends_on) == ((), ()), "it can't wait for what is out of scope"
    assert [one.code for one in payment.notices] == ["INVOICE_OUT_OF_SCOPE"]
    earlier = Catalog(customer_links={"c1": CustomerLink("existing", "k" * 32, "77", "", date(2026, 3, 1))})
    extended = mapped(source, configuration("invoices_payments_if_paid"), earlier).documents[1]
    assert [one.document_key for one in extended.applications] == [invoice.key]
    assert extended.notices == ()


def test_buyers_wait_to_be_connected_where_settings_say_so_and_guests_do_not() -> None:
    settings = configuration(customers={"unconnected": "wait"})
    waiting = mapped(BUYER, settings)
    assert waiting.documents[0].hold is not None
    assert waiting.documents[0].hold.code == "CUSTOMER_MISSING"
    assert waiting.customers[0].missing is MissingPolicy.STOP
    connected = Catalog(customer_links={"c1": CustomerLink("create", "k" * 32)})
    assert mapped(BUYER, settings, connected).documents[0].hold is None
    guest = BUYER.model_copy(update={"customer": Customer(first_name="Ada", last_name="Lovelace")})
    assert mapped(guest, settings).documents[0].hold is None


def test_a_buyer_without_an_account_has_no_link_whatever_another_is_called() -> None:
    linked = Catalog(customer_links={link_name("None", "USD"): CustomerLink("existing", "k" * 32, "77", "Countess")})
    (customer,) = mapped(example_a(customer=None), configuration(), linked).customers
    assert (customer.display_name, customer.ledger_id) == ("Ada Lovelace", None)


@pytest.mark.parametrize("strategy", ["single", "first_last"])
def test_the_addresses_of_a_document_are_the_orders_whoever_its_customer_is(strategy: str) -> None:
    (receipt,) = mapped(BUYER, configuration(customers={"strategy": strategy})).documents
    assert (receipt.billing_address, receipt.shipping_address) == (BUYER.billing_address, BUYER.shipping_address)


def test_a_customer_that_is_disconnected_keeps_new_documents_waiting() -> None:
    catalog = Catalog(customer_links={"c1": CustomerLink("none", "k" * 32)})
    (receipt,) = mapped(BUYER, configuration(), catalog).documents
    assert receipt.hold is not None
    assert receipt.hold.code == "CUSTOMER_MISSING"
