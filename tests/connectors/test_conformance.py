"""One suite for every channel: a new folder passes it or is not a channel."""

import importlib
import inspect
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from tests.connectors.conftest import LOGINS, NOW, SECRET, Shelf, account

import ingest.channels
from common.messages.orders import Order
from ingest.channel import Capability, Channel, PaysOut
from ingest.channels import BY_NAME, CHANNELS
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope, SignatureInvalid
from ingest.parts import Part, PartKind, Parts
from ingest.signatures import moment
from sandbox.shops.life import Event, ShopLife
from sandbox.shops.signatures import Delivery, headers_of

FOLDER = Path(ingest.channels.__file__).parent
FILES = {
    "__init__.py", "settings.py", "client.py", "wire.py", "normalization.py", "webhook.py", "README.md",
}  # fmt: skip
EXPECTED_ERRORS = (NormalizationError, IncompleteOrder, OutOfScope)
OF_PROCESSORS = FILES - {"normalization.py"} | {"payouts.py"}
SHOPS = tuple(channel for channel in CHANNELS if Capability.POLLING in channel.capabilities)
every_channel = pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
every_shop = pytest.mark.parametrize("channel", SHOPS, ids=lambda channel: channel.name)


def events(channel: Channel, orders: int = 3) -> list[Event]:
    return list(ShopLife(2, channel.name, "us", date(2026, 3, 1)).events(orders))  # type: ignore[arg-type]


def headers(event: Event, secret: str = SECRET) -> dict[str, str]:
    given = headers_of(Delivery.of(event), event.raw(), secret, NOW)
    return {name.lower(): value for name, value in given.items()}


def test_every_folder_is_listed_and_every_listed_channel_has_its_folder() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {channel.name for channel in CHANNELS} == set(BY_NAME)
    assert len(CHANNELS) == len(BY_NAME)


@every_channel
def test_a_folder_has_the_same_file_names_and_exports_only_its_channel(channel: Channel) -> None:
    names = {path.name for path in (FOLDER / channel.name).iterdir()}
    wanted = FILES if channel in SHOPS else OF_PROCESSORS
    assert names >= wanted, wanted - names
    package = importlib.import_module(f"ingest.channels.{channel.name}")
    assert package.__all__ == ["CHANNEL"]
    assert package.CHANNEL is channel


@every_channel
def test_what_normalises_does_no_input_or_output(channel: Channel) -> None:
    """The pure part imports no client, clock, database or settings."""
    for path in (FOLDER / channel.name).glob("*.py"):
        if path.name in {"__init__.py", "client.py", "settings.py", "webhook.py"}:
            continue
        text = path.read_text()
        for forbidden in ("httpx", "asyncpg", "structlog", "datetime.now", "time.time", "common.database", "async def"):
            assert forbidden not in text, f"{path.name} contains {forbidden}"


@every_channel
def test_credentials_hide_their_secrets_and_refuse_what_they_do_not_know(channel: Channel) -> None:
    credentials = channel.credentials.model_validate(LOGINS[channel.name])
    assert SECRET not in repr(credentials)
    assert SECRET not in str(credentials.model_dump())
    assert credentials.fetches == (channel not in SHOPS)
    with pytest.raises(ValueError, match="unknown_field"):
        channel.credentials.model_validate({**LOGINS[channel.name], "unknown_field": "x"})
    for name, info in channel.credentials.model_fields.items():
        if any(word in name for word in ("secret", "token", "password", "consumer_key")):
            assert _is_secret(info), f"{name} must be a SecretStr"


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation) or info.annotation is SecretStr


@every_shop
def test_a_genuine_delivery_is_accepted_and_any_changed_byte_refused(channel: Channel) -> None:
    credentials = channel.credentials.model_validate(LOGINS[channel.name])
    event = events(channel)[0]
    raw, given = event.raw(), headers(event)
    channel.verify(given, raw, credentials, NOW)
    for changed in (raw + b" ", raw.replace(b"1", b"2", 1), b""):
        with pytest.raises(SignatureInvalid):
            channel.verify(given, changed, credentials, NOW)
    for wrong in (headers(event, "another"), {}, dict.fromkeys(given, ""), dict.fromkeys(given, "ü")):
        with pytest.raises(SignatureInvalid):
            channel.verify(wrong, raw, credentials, NOW)


@every_channel
def test_signatures_are_compared_in_constant_time(channel: Channel) -> None:
    source = inspect.getsource(importlib.import_module("ingest.signatures"))
    assert source.count("compare_digest") == 2
    text = (FOLDER / channel.name / "webhook.py").read_text()
    assert "verify_base64_sha256" in text or "verify_hex_sha256" in text


@every_shop
def test_parts_name_their_order_and_the_channels_own_time(channel: Channel) -> None:
    for event in events(channel):
        delivery = channel.parse(headers(event), event.raw())
        assert delivery.delivery_id
        for part in delivery.parts:
            assert part.order_id == event.order_id
            assert part.raw
            assert part.version.tzinfo is UTC
            assert part.version == event.at.astimezone(UTC).replace(microsecond=0) or part.kind is PartKind.DELETION


@every_shop
def test_normalising_gives_revision_zero_and_the_same_order_every_time(channel: Channel) -> None:
    shelf = Shelf(channel, account(fetches=False))
    for event in events(channel, 10):
        shelf.take(channel.parse(headers(event), event.raw()).parts)
    orders = [outcome for outcome in shelf.outcomes.values() if isinstance(outcome, Order)]
    assert len(orders) >= 8
    for order in orders:
        parts = Parts.of(order.external_id, shelf.parts[order.external_id].values())
        again = channel.normalize(parts, shelf.account)
        assert again == order
        assert (order.revision, order.channel, order.tenant_id, order.connection_id) == (
            0,
            channel.name,
            "tenant",
            "con",
        )
        assert Order.model_validate_json(order.model_dump_json()) == order


@every_channel
def test_a_channel_that_pays_out_reads_payouts_and_one_that_does_not_lists_none(channel: Channel) -> None:
    client = channel.connect(channel.credentials.model_validate(LOGINS[channel.name]), None)
    pays_out = Capability.PAYOUTS in channel.capabilities
    assert isinstance(client, PaysOut) == pays_out == (channel.normalize_payout is not None)
    if channel not in SHOPS:
        assert pays_out, "a channel without orders and payouts brings nothing"


@every_channel
@pytest.mark.parametrize(
    "raw",
    [
        b"{}", b"[]", b"null", b'"text"', b"not json", b"\xff\xfe",
        b'{"id": 1}', b'{"external_id": "1", "lines": 5}', b'{"id": {"a": 1}}',
    ],
)  # fmt: skip
def test_rubbish_is_refused_with_a_reason_and_never_crashes(channel: Channel, raw: bytes) -> None:
    parts = Parts.of("1", [Part(PartKind.ORDER, "1", raw, moment(None))])
    with pytest.raises(EXPECTED_ERRORS):
        channel.normalize(parts, account())
    seen = channel.glance(parts)
    assert isinstance(seen.number, str)


@every_shop
def test_an_unknown_currency_and_an_unknown_status_are_refused_by_name(channel: Channel) -> None:
    event = next(event for event in events(channel) if channel.parse(headers(event), event.raw()).parts)
    part = next(part for part in channel.parse(headers(event), event.raw()).parts if part.kind is PartKind.ORDER)
    for changes, code in (({"currency": "XYZ"}, "UNKNOWN_CURRENCY"), ({_status_field(channel): "levitating"}, None)):
        body = {**orjson.loads(part.raw), **changes}
        changed = Part(PartKind.ORDER, part.order_id, b"", part.version, parsed=body)
        with pytest.raises(NormalizationError) as caught:
            channel.normalize(Parts.of(part.order_id, [changed]), account())
        reason = caught.value.reason
        assert reason.field in changes
        assert reason.value == next(iter(changes.values()))
        assert reason.cure
        assert code in {None, reason.code}


def _status_field(channel: Channel) -> str:
    return "financial_status" if channel.name == "shopify" else "status"


@every_shop
def test_a_total_that_does_not_add_up_is_refused_with_both_numbers(channel: Channel) -> None:
    event = next(event for event in events(channel) if channel.parse(headers(event), event.raw()).parts)
    part = next(part for part in channel.parse(headers(event), event.raw()).parts if part.kind is PartKind.ORDER)
    body = orjson.loads(part.raw)
    match channel.name:
        case "shopify":
            body |= {"total_price": "12345.67", "financial_status": "pending", "refunds": []}
        case "woocommerce":
            body |= {"total": "12345.67"}
        case _:
            body |= {"totals": {**body["totals"], "grand_total": "12345.67"}}
    changed = Part(PartKind.ORDER, part.order_id, b"", part.version, parsed=body)
    with pytest.raises(NormalizationError) as caught:
        channel.normalize(Parts.of(part.order_id, [changed]), account())
    assert caught.value.reason.code == "TOTALS_MISMATCH"
    assert "12345.67" in caught.value.reason.text
    assert len([word for word in caught.value.reason.text.split() if word[0].isdigit()]) == 2


@every_channel
def test_a_channel_that_pushes_has_topics_or_takes_documents(channel: Channel) -> None:
    if Capability.SUBSCRIPTIONS in channel.capabilities:
        assert channel.topics
    client = channel.connect(channel.credentials.model_validate(LOGINS[channel.name]), None)
    assert hasattr(client, "subscriptions") == (Capability.SUBSCRIPTIONS in channel.capabilities)
    assert moment("2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)
