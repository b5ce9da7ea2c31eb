"""Packs: what goes in comes out, bounded, and one broken member harms nobody else."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from common.errors import InvalidMessage
from common.messages.control import TaskKind, TaskRequested
from common.messages.orders import Product
from common.packs import (
    BODY_BYTES_MAX,
    PACK_BYTES_MAX,
    Envelope,
    Undecodable,
    decode,
    encode_member,
    join_members,
    split_by_size,
)


def product(number: int, **changes: object) -> Product:
    fields: dict[str, object] = {
        "tenant_id": "ten_1",
        "revision": number,
        "connection_id": "con_1",
        "external_id": str(number),
        "sku": f"SKU-{number}",
        "name": "Bowl",
        "price": Decimal("19.990"),
        "currency": "USD",
    }
    return Product.model_validate(fields | changes)


def member(state: Product) -> bytes:
    return encode_member(state.model_dump_json().encode(), "cor-1", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")


def test_states_survive_the_round_trip_with_their_correlation_and_trace() -> None:
    sent = [product(1), product(2)]
    opened = decode(Product, join_members(map(member, sent)))
    assert [item.state for item in opened if isinstance(item, Envelope)] == sent
    assert all(isinstance(item, Envelope) and item.correlation_id == "cor-1" for item in opened)
    assert all(isinstance(item, Envelope) and item.traceparent is not None for item in opened)


def test_one_broken_member_comes_back_alone_and_names_its_field() -> None:
    broken = orjson.loads(member(product(2)))
    broken["s"]["price"] = 19.99  # a float, which money never is
    opened = decode(Product, join_members([member(product(1)), orjson.dumps(broken), member(product(3))]))
    assert [type(item) for item in opened] == [Envelope, Undecodable, Envelope]
    undecodable = opened[1]
    assert isinstance(undecodable, Undecodable)
    assert undecodable.error.reason.field == "price"
    assert len(orjson.loads(undecodable.raw)["states"]) == 1


def test_unknown_fields_of_a_newer_release_are_ignored() -> None:
    newer = orjson.loads(member(product(1)))
    newer["s"]["invented_later"] = {"deep": True}
    (opened,) = decode(Product, join_members([orjson.dumps(newer)]))
    assert isinstance(opened, Envelope)
    assert opened.state == product(1)


def test_unknown_enum_values_say_so_for_the_retry_decision() -> None:
    task = TaskRequested(
        tenant_id="t", revision=1, run_id="r", kind=TaskKind.MANUAL, connection_id="c", requested_at=datetime.now(UTC)
    )
    raw = orjson.loads(encode_member(task.model_dump_json().encode(), "c", None))
    raw["s"]["kind"] = "invented_later"
    (opened,) = decode(TaskRequested, join_members([orjson.dumps(raw)]))
    assert isinstance(opened, Undecodable)
    assert (opened.error.reason.field, opened.error.reason.value) == ("kind", "enum")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"states": 7}', b"\xff\xfe"])
def test_a_body_that_is_no_pack_is_refused_with_its_cure(body: bytes) -> None:
    with pytest.raises(InvalidMessage, match="can't be read"):
        decode(Product, body)


def test_a_body_above_the_bound_is_refused_unread() -> None:
    with pytest.raises(InvalidMessage, match="bytes"):
        decode(Product, b" " * (BODY_BYTES_MAX + 1))


def test_packs_keep_to_their_count_and_their_bytes() -> None:
    small = [b"x" * 10] * 45
    assert [len(run) for run in split_by_size(small, 20)] == [20, 20, 5]
    large = [b"x" * (PACK_BYTES_MAX // 2)] * 3
    assert [len(run) for run in split_by_size(large, 20)] == [1, 1, 1]
    assert list(split_by_size([], 20)) == []
