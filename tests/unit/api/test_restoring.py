"""A back-up seen from other books: ids move, what has no place is named."""

from datetime import date

from api.restoring import Ledger, mapped_entries, mapped_rules, missing_in, moved, taken_unasked, unmapped
from api.sheets import column, lines
from api.views.backup import BackupEntry, BackupRule
from common.messages.control import ConnectionSettings, TaxSettings


def settings(connection_id: str, **changes: object) -> ConnectionSettings:
    held = ConnectionSettings(
        connection_id=connection_id, channel="custom", name="Shop", company_id="old", start_date=date(2026, 1, 1)
    )
    return held.model_copy(update=changes)


def test_connections_without_a_place_of_their_channel_are_named() -> None:
    file = [settings("a"), settings("b"), settings("c"), settings("d")]
    names = {"a": "x", "b": "y", "c": "x", "e": "x"}
    wrong = unmapped(file, names, {"x": "custom", "y": "shopify"})
    assert [(one.field, one.value) for one in wrong] == [
        ("body.connections.b", "y"),
        ("body.connections.c", "x"),
        ("body.connections.d", "d"),
        ("body.connections.e", "x"),
    ]
    assert unmapped([settings("x")], {}, {"x": "custom"}) == []


def test_a_connection_of_another_company_file_is_taken_only_where_it_is_named() -> None:
    file = [settings("a"), settings("b"), settings("c")]
    places = {"a": "here", "b": "there"}
    (wrong,) = taken_unasked(file, {}, places, "here")
    assert (wrong.field, wrong.value) == ("body.connections.b", "b")
    assert "there" in wrong.cure
    for names in ({"b": "b"}, {"b": "c"}):
        assert taken_unasked(file, names, places, "here") == []


def test_rules_and_maps_follow_their_connections() -> None:
    limited = BackupRule(name="r", definition={"action": "add_prefix", "value": "A", "connections": ["a", "z"]})
    everywhere = BackupRule(name="s", definition={"action": "add_prefix", "value": "A"})
    rules = mapped_rules([limited, everywhere], {"a": "x"})
    assert [rule.definition.get("connections") for rule in rules] == [["x", "z"], None]
    rows = [BackupEntry(connection_id=one, source="S", target="T") for one in ("*", "a", "gone")]
    assert [row.connection_id for row in mapped_entries(rows, {"a": "x"})] == ["*", "x"]
    target = moved(settings("a", terms_days=9), "x", "custom", "new")
    assert (target.connection_id, target.company_id, target.terms_days) == ("x", "new", 9)


def test_names_the_ledger_lacks_are_told_and_lists_it_does_not_keep_are_not_asked() -> None:
    ledger = Ledger(
        {
            "payment_methods": frozenset({"visa"}),
            "items": frozenset({"shirt"}),
            "classes": frozenset(),
            "departments": frozenset({"downtown"}),
            "tax_codes": frozenset({"vat 20"}),
        }
    )
    tax = TaxSettings(
        codes={"country:GB": "VAT 20"}, shipping_code="VAT 5", discount_code="vat 20", document_code="VAT"
    )
    held = settings(
        "a", payment_methods={"card": "Visa", "cash": "Cash"}, class_name="North", department="Uptown", tax=tax
    )
    rows = [BackupEntry(connection_id="*", source="S", target=name) for name in ("Shirt", "Hat")]
    found = [(one.field, one.value) for one in missing_in(ledger, [held], rows)]
    assert found == [
        ("backup.connections.0.payment_methods.cash", "Cash"),
        ("backup.connections.0.department", "Uptown"),
        ("backup.connections.0.tax.document_code", "VAT"),
        ("backup.connections.0.tax.shipping_code", "VAT 5"),
        ("backup.maps.products.1.target", "Hat"),
    ]


def test_a_sheet_shows_texts_and_never_runs_them() -> None:
    assert lines([["=A1", "+1", "@x", "-3.00", None, "a,b"]]) == "'=A1,'+1,'@x,-3.00,,\"a,b\"\n"
    assert column("Connection_ID,source\n a ,x\n*,y\n", "connection_id") == [(2, "a"), (3, "*")]
    assert column("source\nx\n", "connection_id") == []
    assert column("", "connection_id") == []
