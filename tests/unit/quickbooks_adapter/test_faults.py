"""Reading refusals of every shape, and THE table: what each code means."""

import json
from pathlib import Path

import pytest
from tests.unit.quickbooks_adapter.schema import vendor_data

from ledger_writer.ledgers.protocol import ErrorClass
from ledger_writer.ledgers.quickbooks_online.errors import TABLE, classify
from ledger_writer.ledgers.quickbooks_online.faults import Fault, FaultError, fault_inside, read_fault

# The catalogue of the domain reference, section 24: code → class.
CATALOGUE = {
    ErrorClass.TOKEN: "3200 3202 100 110",
    ErrorClass.PERMISSION: "120 3100 140 5020 5030 6150 6190",
    ErrorClass.TRANSIENT: "3001 10000 130 150 1040 10100",
    ErrorClass.CONFLICT: "5010",
    ErrorClass.LOOKUP: "600 630 6140 6240",
    ErrorClass.CONFIG: "610 2020 2030 2500 2220 6090 6100 6160 6170 6230 6470 6250 6310 6430 6440 10200",
    ErrorClass.PERIOD: "6200 6210",
    ErrorClass.DATA: (
        "500 620 700 900 800 6220 6480 2010 2120 2170 2040 2050 2060 2070 2080 2090 2100 2110 2140 2150 2160 2290 "
        "2210 2300 4000 4001 4002 6000 6070 6080 6270 6540 99999"
    ),
}
CASES = [(code, error_class) for error_class, codes in CATALOGUE.items() for code in codes.split()]


def body(code: str, detail: str = "", message: str = "Message") -> bytes:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return json.dumps({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026-03-14"}).encode()


@pytest.mark.parametrize(("code", "error_class"), CASES)
def test_every_code_of_the_catalogue_has_its_class_and_a_cure(code: str, error_class: ErrorClass) -> None:
    refused = classify(read_fault(400, body(code, f"Detail of {code}")))
    assert refused.error_class is error_class
    assert refused.reason.cure
    assert f"Detail of {code}" in refused.reason.text
    assert refused.raw


def test_what_was_said_begins_with_the_vendors_id_of_the_request_where_it_gave_one() -> None:
    said = body("2020")
    assert classify(read_fault(400, said, tid="1-abc")).raw == f"intuit_tid 1-abc: {said.decode()}"
    assert classify(read_fault(400, said)).raw == said.decode()


@pytest.mark.parametrize("code", ["3200", "3100", "120", "140", "6190", "10200"])
def test_some_refusals_stop_the_whole_company(code: str) -> None:
    assert classify(read_fault(400, body(code))).stops_company


def test_no_other_code_stops_the_company() -> None:
    stopping = {code for code, row in TABLE.items() if row.stops_company}
    assert stopping == {"100", "110", "120", "140", "3100", "3200", "3202", "6190", "10200"}


@pytest.mark.parametrize(
    ("detail", "code", "error_class"),
    [
        (
            "You must specify an accounts receivable account with the same currency",
            "ACCOUNT_CURRENCY",
            ErrorClass.CONFIG,
        ),
        (
            "The currency of the customer is invalid for this transaction: customer currency EUR",
            "CUSTOMER_CURRENCY",
            ErrorClass.CONFIG,
        ),
        ("Make sure all your transactions have a GST/HST rate before you save.", "TAX_CODE_INVALID", ErrorClass.CONFIG),
        ("Quantity on hand of the item would go negative", "QUANTITY_NEGATIVE", ErrorClass.DATA),
        ("The payment amount is more than the balance due", "PAYMENT_EXCEEDS_BALANCE", ErrorClass.DATA),
        ("The account period is closed: closing date 2025-12-31", "PERIOD_CLOSED", ErrorClass.PERIOD),
        ("Transaction amount is missing", "VALUE_INVALID", ErrorClass.DATA),
        ("Something nobody has seen", "BUSINESS_RULE", ErrorClass.DATA),
    ],
)
def test_business_validation_is_told_apart_by_its_text(detail: str, code: str, error_class: ErrorClass) -> None:
    refused = classify(read_fault(400, body("6000", detail)))
    assert (refused.reason.code, refused.error_class) == (code, error_class)


def test_an_old_code_for_duplicate_numbers_is_known_by_its_text() -> None:
    refused = classify(read_fault(400, body("6210", "Duplicate Document Number Error: 1001")))
    assert refused.error_class is ErrorClass.LOOKUP
    assert classify(read_fault(400, body("6210", "Account Period Closed"))).error_class is ErrorClass.PERIOD


def test_of_several_errors_the_one_that_needs_a_person_decides() -> None:
    fault = Fault(400, (FaultError("5010", "Stale"), FaultError("2050", "Too long", "", "DocNumber")))
    refused = classify(fault)
    assert refused.error_class is ErrorClass.DATA
    assert refused.reason.field == "DocNumber"


@pytest.mark.parametrize(
    ("status", "content", "error_class"),
    [
        (429, b"", ErrorClass.TRANSIENT),
        (429, b"<html><body>Too many requests</body></html>", ErrorClass.TRANSIENT),
        (403, body("3001", "ThrottleExceeded"), ErrorClass.TRANSIENT),
        (401, b"", ErrorClass.TOKEN),
        (403, b"", ErrorClass.PERMISSION),
        (404, b"<html>no</html>", ErrorClass.DATA),
        (413, b"", ErrorClass.DATA),
        (500, b"", ErrorClass.TRANSIENT),
        (503, b"<html>unavailable", ErrorClass.TRANSIENT),
        (400, b"{not json", ErrorClass.DATA),
    ],
)
def test_without_a_readable_fault_the_status_decides(status: int, content: bytes, error_class: ErrorClass) -> None:
    assert classify(read_fault(status, content)).error_class is error_class


def test_a_throttled_answer_is_understood_in_json_and_in_xml() -> None:
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    xml = (
        "<IntuitResponse xmlns='http://schema.intuit.com/finance/v3'><Fault type='SERVICE'>"
        f"<Error><Message>{message}</Message></Error></Fault></IntuitResponse>"
    )
    for content in (body("003001", message=message), xml.encode()):
        fault = read_fault(403, content)
        assert fault.codes == ("3001",)
        assert fault.throttled


def test_xml_can_neither_expand_entities_nor_reach_files() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b'<Fault><Error code="6000"><Message>&a;</Message></Error></Fault>'
    )
    fault = read_fault(400, bomb)
    assert all("root:" not in error.message for error in fault.errors)


def test_a_fault_inside_an_accepted_answer_is_found() -> None:
    assert fault_inside({"Invoice": {"Id": "1"}}) is None
    element = {"bId": "1", "Fault": {"Error": [{"Message": "Duplicate", "code": "6140"}], "type": "ValidationFault"}}
    fault = fault_inside(element)
    assert fault is not None
    assert fault.codes == ("6140",)


# Real refusals, as Intuit's servers gave them.
RECORDED = {
    "recorded/error_400_json.json": (400, "2010", ErrorClass.DATA),
    "recorded/error_401.json": (401, "3200", ErrorClass.TOKEN),
    "recorded/error_validation.json": (400, "6240", ErrorClass.LOOKUP),
    "recorded/ex_read_item_error.json": (400, "610", ErrorClass.CONFIG),
    "recorded/ex_update_preferences_error.json": (400, "5010", ErrorClass.CONFLICT),
    "xml/fault.xml": (400, "2050", ErrorClass.DATA),
}


@pytest.mark.vendor
@pytest.mark.parametrize("name", RECORDED)
def test_real_fault_bodies_are_read_and_classified(name: str) -> None:
    status, code, error_class = RECORDED[name]
    fault = read_fault(status, _body(vendor_data() / name))
    assert fault.codes[0] == code
    refused = classify(fault)
    assert refused.error_class is error_class
    assert fault.errors[0].detail in refused.reason.text


@pytest.mark.vendor
def test_the_second_error_of_a_real_fault_is_kept() -> None:
    fault = read_fault(400, (vendor_data() / "xml" / "fault.xml").read_bytes())
    assert [(error.code, error.element) for error in fault.errors] == [("2050", "firstname"), ("2080", "postalcode")]


def _body(path: Path) -> bytes:
    if path.suffix == ".xml":
        return path.read_bytes()
    content = json.loads(path.read_text())
    for interaction in content.get("interactions", ()):
        return json.dumps(interaction["response"]["body"]).encode()
    return json.dumps(content).encode()
