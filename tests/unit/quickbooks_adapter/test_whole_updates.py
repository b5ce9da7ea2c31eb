"""What a document has lost: fields that a sparse update would leave in the ledger."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.ledgers.quickbooks_online.bodies import build, dropped, lists_needed, replaced


def test_a_field_that_a_document_has_lost_goes_by_a_full_update_and_a_number_or_what_others_hang_on_stays() -> None:
    books, link = samples.books(), LedgerLink("130", "4", details={"entity": "Invoice", "lines": "1,2"})
    bare = document(DocumentKind.INVOICE, note="")
    full = bare.model_copy(update={"note": "At the door", "number": "1001"})
    body = build(operation(bare.model_copy(update={"number": None})), books)
    gone = dropped(replace(operation(bare), previous=full), body, books)
    assert gone == {"CustomerMemo"}
    stored = {"Id": "130", "SyncToken": "6", "sparse": False, "CustomerMemo": {"value": "At the door"}, "Deposit": 3}
    content = replaced(body, link, {**stored, "TxnTaxDetail": {"TotalTax": Decimal(9)}, "Line": []}, gone)
    assert (content["SyncToken"], content["Deposit"]) == ("6", 3)
    assert not {"CustomerMemo", "sparse"} & content.keys()
    assert (content["Line"][0]["Id"], content["TxnTaxDetail"]) == ("1", body.content["TxnTaxDetail"])
    assert check.problems("Invoice", content) == []


def test_what_an_update_without_an_answer_may_have_added_goes_too() -> None:
    books, bare = samples.books(), document(DocumentKind.INVOICE, note="")
    sent = bare.model_copy(update={"note": "At the door"})
    body = build(operation(bare), books)
    for unanswered in ((sent,), (sent, bare), (bare, sent)):
        again = replace(operation(bare), previous=bare, sent=unanswered)
        assert dropped(again, body, books) == {"CustomerMemo"}
    again = replace(operation(sent), previous=bare, sent=(sent, bare))
    assert dropped(again, build(operation(sent), books), books) == set()


def test_a_reference_that_a_document_has_lost_goes_with_the_list_that_it_is_of() -> None:
    books, bare = samples.books(), document(DocumentKind.PAYMENT)
    full = bare.model_copy(update={"payment_method": "Visa"})
    edit = replace(operation(bare), previous=full)
    assert lists_needed(operation(bare), books) == {"accounts"}
    assert lists_needed(edit, books) == {"accounts", "payment_methods"}
    assert dropped(edit, build(edit, books), books) == {"PaymentMethodRef"}


def test_one_of_several_custom_fields_goes_and_those_of_people_stay() -> None:
    books = samples.books(custom_fields="1=Crew #|2=Gift|3=Desk")
    link = LedgerLink("130", "4", details={"entity": "Invoice", "lines": "1,2"})
    both = document(DocumentKind.INVOICE, custom_fields={"Crew #": "7", "Gift": "yes"})
    one = both.model_copy(update={"custom_fields": {"Crew #": "8"}})
    body = build(operation(one), books)
    gone = dropped(replace(operation(one), previous=both), body, books)
    assert gone == {"CustomField.2"}
    fields = [
        {"DefinitionId": number, "Name": name, "Type": "StringType", "StringValue": value}
        for number, name, value in (("1", "Crew #", "7"), ("2", "Gift", "yes"), ("3", "Desk", "by hand"))
    ]
    content = replaced(body, link, {"Id": "130", "SyncToken": "6", "CustomField": fields}, gone)
    assert {field["DefinitionId"]: field["StringValue"] for field in content["CustomField"]} == {
        "1": "8",
        "3": "by hand",
    }
    none = both.model_copy(update={"custom_fields": {}})
    body = build(operation(none), books)
    gone = dropped(replace(operation(none), previous=both), body, books)
    assert gone == {"CustomField.1", "CustomField.2"}
    content = replaced(body, link, {"Id": "130", "SyncToken": "6", "CustomField": fields[:2]}, gone)
    assert "CustomField" not in content


def test_an_update_stays_sparse_where_nothing_is_lost_or_nobody_knows_what_was_written() -> None:
    books, wanted = samples.books(), document(DocumentKind.INVOICE)
    body = build(operation(wanted), books)
    unknown = document(DocumentKind.INVOICE, note="At the door", lines=())
    for previous in (None, wanted, wanted.model_copy(update={"lines": wanted.lines[:2]}), unknown):
        assert dropped(replace(operation(wanted), previous=previous), body, books) == frozenset()
