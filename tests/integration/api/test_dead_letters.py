"""Dead letters: parked by the runtime, collected, shown masked, replayed, failed again, superseded, archived."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aio_pika
import asyncpg
import orjson
import pytest
from pydantic import SecretStr
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.dead_letters import collecting
from api.dead_letters.letters import context_of
from api.dead_letters.replaying import replay_once
from api.ids import order_id
from api.main import build
from api.store import dead_letters as store
from api.store.dead_letters import Selection
from common.broker import Broker, BrokerLost, Outgoing, Unroutable
from common.messages.base import State
from common.messages.fetching import OrderListed
from common.messages.orders import Order
from common.messages.transactions import TransactionSet
from common.packs import encode_member, join_members
from common.recovery import (
    HEADER_ATTEMPT,
    HEADER_ENTITY,
    HEADER_ERROR_TEXT,
    HEADER_ERROR_TYPE,
    HEADER_FAILED_AT,
    HEADER_FRAME,
    HEADER_QUEUE,
    HEADER_REVISION,
)
from common.runtime import running as running_runtime
from common.topology import DEAD_EXCHANGE, DEAD_QUEUE_ARGUMENTS, EXCHANGE, HEADER_TENANT, dead_queue

QUEUE = "api.order-listed"
KILL_COLLECTORS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE relation = 'dead_letters'::regclass AND mode = 'RowExclusiveLock' AND NOT granted
"""


def send(gateway: Gateway, *messages: Outgoing) -> None:
    async def publish() -> None:
        broker = Broker(SecretStr(gateway.broker_url), name="test")
        await broker.publish(messages)
        await broker.close()

    asyncio.run(publish())


def parked(
    state: State,
    *,
    error: str = "KeyError",
    frame: str = "api/orders.py:handle",
    queue: str = QUEUE,
    contract: type[State] | None = None,
) -> Outgoing:
    """What the runtime sends to the dead letters when a state fails for good, or one that passes for a `contract`."""
    headers = {
        HEADER_QUEUE: queue,
        HEADER_ERROR_TYPE: error,
        HEADER_ERROR_TEXT: f"{error} (see the log of this service)",
        HEADER_FRAME: frame,
        HEADER_FAILED_AT: datetime.now(UTC).isoformat(),
        HEADER_ENTITY: state.key,
        HEADER_REVISION: state.revision,
        HEADER_TENANT: state.tenant_id,
        HEADER_ATTEMPT: 3,
        "authorization": "Bearer leaked",
    }
    body = join_members([encode_member(state.model_dump_json().encode(), "c", None)])
    return Outgoing(DEAD_EXCHANGE, "api", (contract or state).type, body, headers)


def shown_as(shop: Shop, external_id: str) -> tuple[str, str]:
    """Column of the shop's order, and the code of its reason."""
    answer = shop.tenant.http.get("/v1/orders", params={"connection_id": shop.connection_id})
    found = {order["external_id"]: order for order in answer.json()["items"]}
    order = found.get(external_id, {"column": "", "reason": None})
    return order["column"], order["reason"]["code"] if order["reason"] else ""


STUCK = ("warnings", "MESSAGE_PARKED")
UNDER_WAY = ("in_progress", "")
WRITTEN = ("in_ledger", "")


def letters(gateway: Gateway, **params: Any) -> list[dict[str, Any]]:
    answer = gateway.operator.get("/v1/dead-letters", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def replay(gateway: Gateway, **selection: Any) -> str:
    answer = gateway.operator.post("/v1/dead-letters/replays", json=selection)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


def job(gateway: Gateway, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = gateway.operator.get(f"/v1/dead-letters/replays/{job_id}").json()
    return found


def test_a_replayed_letter_is_handled_and_shows_it(gateway: Gateway, shop: Shop) -> None:
    state = running.order_listed(shop, "1", number="Secret-Number", status="paid/fulfilled/open")
    send(gateway, parked(state))
    (letter,) = running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id))
    assert (letter["queue"], letter["entity"], letter["attempts"]) == (QUEUE, state.key, 3)
    assert letter["outcome"] == "unresolved"
    job_id = replay(gateway, ids=[letter["dead_letter_id"]])
    running.eventually(lambda: job(gateway, job_id)["finished_at"])
    running.eventually(lambda: job(gateway, job_id)["outcomes"] == {"handled": 1})
    assert [order["number"] for order in shop.tenant.http.get("/v1/orders").json()["items"]] == ["Secret-Number"]
    shown = job(gateway, job_id)
    assert (shown["total"], shown["published"], shown["skipped"]) == (1, 1, 0)


def test_letters_are_collected_from_a_queue_that_was_deleted_and_declared_again(
    gateway: Gateway, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker doesn't always tell the collector, and then gives it nothing for ever."""
    monkeypatch.setattr(collecting, "QUIET_S", 1.0)
    # The collector looks at the time it may be silent for with each letter.
    send(gateway, parked(running.order_listed(shop, "before")))
    running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id))

    async def replace_queue() -> None:
        async with await aio_pika.connect(gateway.broker_url) as connection:
            channel = await connection.channel()
            await channel.queue_delete(dead_queue("api"))
            queue = await channel.declare_queue(dead_queue("api"), durable=True, arguments=dict(DEAD_QUEUE_ARGUMENTS))
            await queue.bind(DEAD_EXCHANGE, "api")

    asyncio.run(replace_queue())
    send(gateway, parked(running.order_listed(shop, "after")))
    found = running.eventually(
        lambda: len(rows) == 2 and rows if (rows := letters(gateway, tenant_id=shop.tenant.tenant_id)) else None,
        timeout_s=30,
    )
    assert {letter["entity"].rsplit("/", 1)[1] for letter in found} == {"before", "after"}


def test_bodies_are_sealed_at_rest_and_masked_when_shown(gateway: Gateway, shop: Shop) -> None:
    state = running.order_listed(shop, "1", problem=running.reason("UNKNOWN_STATUS", "Jane Doe is odd"))
    send(gateway, parked(state))
    (letter,) = running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id))
    stored = gateway.fetch("SELECT body, headers FROM dead_letters WHERE dead_letter_id = $1", letter["dead_letter_id"])
    assert b"Jane Doe" not in stored[0]["body"]
    assert b"leaked" not in stored[0]["headers"]
    answer = gateway.operator.get(f"/v1/dead-letters/{letter['dead_letter_id']}")
    assert "Jane Doe" not in answer.text
    assert "leaked" not in answer.text
    body = answer.json()["body"]["states"][0]["s"]
    assert body["problem"]["code"] == "UNKNOWN_STATUS"
    assert body["total"] == "19.90"
    actions = gateway.operator.get("/v1/operator/audit-log").json()["items"]
    assert actions[0]["action"] == "dead_letter_shown"
    assert actions[0]["subject"] == letter["dead_letter_id"]


def test_what_fails_again_is_the_same_row_with_its_count_raised(gateway: Gateway) -> None:
    pack = orjson.dumps({"states": [{"c": "c", "t": None, "s": {"tenant_id": "t", "revision": -1}}]})
    send(gateway, Outgoing(EXCHANGE, OrderListed.type, OrderListed.type, pack))
    (letter,) = running.eventually(lambda: letters(gateway, error_type="InvalidMessage"))
    job_id = replay(gateway, queue=QUEUE, error_type="InvalidMessage")
    running.eventually(lambda: letters(gateway, error_type="InvalidMessage")[0]["failures"] == 2)
    (again,) = letters(gateway, error_type="InvalidMessage")
    assert again["dead_letter_id"] == letter["dead_letter_id"]
    assert again["outcome"] == "failed_again"
    running.eventually(lambda: job(gateway, job_id)["outcomes"] == {"failed_again": 1})


def test_a_newer_revision_supersedes_a_letter(gateway: Gateway, shop: Shop) -> None:
    send(gateway, parked(running.order_listed(shop, "1", number="old")))
    running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id))
    gateway.publish(running.order_listed(shop, "1", number="new", revision=2))
    running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id)[0]["outcome"] == "superseded")
    assert letters(gateway, tenant_id=shop.tenant.tenant_id)[0]["superseded_by"] == 2
    job_id = replay(gateway, tenant_id=shop.tenant.tenant_id)
    running.eventually(lambda: job(gateway, job_id)["outcomes"] == {"superseded": 1})
    assert [order["number"] for order in shop.tenant.http.get("/v1/orders").json()["items"]] == ["new"]


def test_groups_name_one_cause_each_and_are_replayed_and_archived_whole(gateway: Gateway, shop: Shop) -> None:
    states = [running.order_listed(shop, str(n)) for n in range(5)]
    send(gateway, *(parked(state, frame="api/one.py:f") for state in states[:3]))
    send(gateway, *(parked(state, frame="api/two.py:g") for state in states[3:]))
    whose = {"tenant_id": shop.tenant.tenant_id}
    running.eventually(lambda: len(letters(gateway, **whose)) == 5)
    groups = gateway.operator.get("/v1/dead-letters/groups", params=whose).json()["items"]
    assert {group["frame"]: group["letters"] for group in groups} == {"api/one.py:f": 3, "api/two.py:g": 2}
    job_id = replay(gateway, queue=QUEUE, error_type="KeyError", frame="api/one.py:f")
    running.eventually(lambda: job(gateway, job_id)["outcomes"].get("handled") == 3)
    archived = gateway.operator.post("/v1/dead-letters/archive", json={"frame": "api/two.py:g"})
    assert archived.json() == {"archived": 2}
    left = gateway.fetch("SELECT body FROM dead_letters WHERE status = 'archived'")
    assert [row["body"] for row in left] == [b"", b""]
    assert {letter["frame"] for letter in letters(gateway, **whose)} == {"api/one.py:f"}
    assert {letter["frame"] for letter in letters(gateway, **whose, status="archived")} == {"api/two.py:g"}
    assert gateway.operator.post("/v1/dead-letters/archive", json={}).status_code == 422


def test_one_letter_delivered_twice_is_one_row_and_one_failure(gateway: Gateway, shop: Shop) -> None:
    message = parked(running.order_listed(shop, "1"))
    send(gateway, message, message)
    send(gateway, parked(running.order_listed(shop, "2")))
    running.eventually(lambda: len(letters(gateway, tenant_id=shop.tenant.tenant_id)) == 2)
    assert {letter["failures"] for letter in letters(gateway, tenant_id=shop.tenant.tenant_id)} == {1}


def test_letters_stay_in_hand_while_the_database_is_away(gateway: Gateway, shop: Shop) -> None:
    async def outage() -> None:
        connection = await asyncpg.connect(gateway.database_url)
        try:
            async with asyncio.timeout(60), connection.transaction():
                await connection.execute("LOCK TABLE dead_letters IN ACCESS EXCLUSIVE MODE")
                await asyncio.to_thread(send, gateway, parked(running.order_listed(shop, "1")))
                lost = 0
                while lost < 3:
                    lost += await connection.fetchval(KILL_COLLECTORS)
                    await asyncio.sleep(0.02)
        finally:
            await connection.close()

    asyncio.run(outage())
    (letter,) = running.eventually(lambda: letters(gateway, tenant_id=shop.tenant.tenant_id))
    identity = letter["dead_letter_id"]
    (row,) = gateway.fetch("SELECT headers FROM dead_letters WHERE dead_letter_id = $1", identity)
    cipher = build(gateway.app.state.settings).state.cipher
    headers = orjson.loads(cipher.decrypt(row["headers"], context_of(identity, "headers")))
    # RabbitMQ counts in it how often it got a letter back, and drops one that it got back too often.
    assert "x-delivery-count" not in headers
    assert headers[HEADER_ATTEMPT] == 3


def test_an_order_whose_message_was_set_aside_is_a_warning_until_it_is_mapped(gateway: Gateway, shop: Shop) -> None:
    order, other = running.order_listed(shop, "1"), running.order_listed(shop, "2")
    gateway.publish(order, other)
    running.eventually(lambda: (shown_as(shop, "1"), shown_as(shop, "2")) == (UNDER_WAY, UNDER_WAY))
    stranger = gateway.shop()
    theirs = other.model_copy(update={"tenant_id": stranger.tenant.tenant_id})
    as_order: dict[str, Any] = {"contract": Order, "queue": "mapper.order-normalized", "frame": "mapper/inside.py:f"}
    send(gateway, parked(theirs, **as_order), parked(order, **as_order))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    assert len(running.eventually(lambda: letters(gateway, tenant_id=stranger.tenant.tenant_id))) == 1
    assert shown_as(shop, "2") == UNDER_WAY

    http = shop.tenant.http
    answers = [
        http.get(f"/v1/companies/{shop.company_id}/warnings"),
        http.get(f"/v1/orders/{order_id(order.key)}"),
        http.get(f"/v1/orders/{order_id(order.key)}/timeline"),
    ]
    assert not any(told in answer.text for answer in answers for told in ("KeyError", "inside.py", "leaked"))
    (group,) = answers[0].json()["groups"]
    assert (group["code"], group["entities"], group["kinds"]) == ("MESSAGE_PARKED", 1, ["order"])
    assert "3 attempts" in answers[1].json()["reason"]["text"]
    assert "/v1/dead-letters/replays" in answers[1].json()["reason"]["cure"]
    entries = [entry for entry in answers[2].json()["entries"] if entry["outcome"] == "set_aside"]
    assert [(entry["stage"], entry["reason"]["code"]) for entry in entries] == [("mapped", "MESSAGE_PARKED")]
    (row,) = (
        row for row in http.get(f"/v1/companies/{shop.company_id}/overview").json()["rows"] if row["name"] == "orders"
    )
    assert (row["warnings"], row["in_progress"]) == (1, 1)

    job_id = replay(gateway, tenant_id=shop.tenant.tenant_id)
    running.eventually(lambda: job(gateway, job_id)["finished_at"])
    assert shown_as(shop, "1") == UNDER_WAY
    send(gateway, parked(order, **as_order))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    gateway.publish(running.transactions_listed(shop, "1"), running.document_changed(shop, "1"))
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)


def test_an_order_whose_set_was_set_aside_is_a_warning_until_its_documents_are_there(
    gateway: Gateway, shop: Shop
) -> None:
    listed = running.transactions_listed(shop, "1", revision=2)
    gateway.publish(running.order_listed(shop, "1"), listed)
    running.eventually(lambda: shown_as(shop, "1") == UNDER_WAY)
    send(gateway, parked(listed, contract=TransactionSet, queue="ledger-writer.transactions-mapped"))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    dismissal = {"company_id": shop.company_id, "order_ids": [order_id(f"{shop.connection_id}/1")]}
    assert shop.tenant.http.post("/v1/dismissals", json=dismissal).json()["orders"] == 1
    assert shown_as(shop, "1")[0] == "dismissed"
    shop.tenant.http.post("/v1/dismissals", json=dismissal | {"dismissed": False})
    assert gateway.operator.post("/v1/dead-letters/archive", json={"tenant_id": listed.tenant_id}).status_code == 200
    assert shown_as(shop, "1") == STUCK
    (order,) = shop.tenant.http.get("/v1/orders").json()["items"]
    assert "/v1/tenants/{tenant_id}/rebuild" in order["reason"]["cure"]
    resent = shop.tenant.http.post("/v1/resends", json={"company_id": shop.company_id, "code": "MESSAGE_PARKED"})
    assert resent.json()["items"] == 1
    assert shown_as(shop, "1") == STUCK, "an archived letter says nothing of what the ledger has"
    gateway.publish(running.document_changed(shop, "1"))
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)


def test_a_newer_set_that_was_set_aside_shows_on_an_order_that_is_in_the_ledger(gateway: Gateway, shop: Shop) -> None:
    newer = running.transactions_listed(shop, "1", revision=2)
    gateway.publish(running.order_listed(shop, "1"), newer, running.document_changed(shop, "1"))
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)
    older = running.transactions_listed(shop, "1", revision=1)
    as_set: dict[str, Any] = {"contract": TransactionSet, "queue": "ledger-writer.transactions-mapped"}
    send(gateway, parked(older, **as_set))
    running.eventually(lambda: len(letters(gateway, tenant_id=shop.tenant.tenant_id)) == 1)
    assert shown_as(shop, "1") == WRITTEN
    send(gateway, parked(newer, **as_set))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    warnings = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/warnings").json()
    assert [(group["code"], group["entities"]) for group in warnings["groups"]] == [("MESSAGE_PARKED", 1)]
    gateway.publish(running.transactions_listed(shop, "1", revision=3))
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)


def test_a_set_that_was_set_aside_is_under_way_again_once_its_resend_is_answered_until_it_dies_again(
    gateway: Gateway, shop: Shop
) -> None:
    """Mapper sends the set once more; whether it was taken in this time shows nowhere but in its not being parked.

    Where mapper has no such order nothing is sent, and the warning stays.
    """
    other = gateway.shop(shop.tenant)
    for place in (shop, other):
        gateway.publish(running.order_listed(place, "1"), running.transactions_listed(place, "1"))
        gateway.publish(running.document_changed(place, "1"))
    running.eventually(lambda: all(shown_as(place, "1") == WRITTEN for place in (shop, other)))
    as_set: dict[str, Any] = {"contract": TransactionSet, "queue": "ledger-writer.transactions-mapped"}
    sets = [running.transactions_listed(place, "1") for place in (shop, other)]
    send(gateway, *(parked(one, **as_set) for one in sets))
    running.eventually(lambda: [shown_as(place, "1") for place in (shop, other)] == [STUCK, STUCK])
    asked = {"company_id": shop.company_id, "order_ids": [order_id(f"{shop.connection_id}/1")]}
    stranger = gateway.shop()
    theirs = {"company_id": stranger.company_id, "order_ids": asked["order_ids"]}
    assert stranger.tenant.http.post("/v1/resends", json=theirs).status_code == 404
    assert shown_as(shop, "1") == STUCK
    assert shop.tenant.http.post("/v1/resends", json=asked).status_code == 202
    assert [shown_as(place, "1") for place in (shop, other)] == [STUCK, STUCK]
    gateway.publish(*sets)
    running.eventually(lambda: [shown_as(place, "1") for place in (shop, other)] == [WRITTEN, STUCK])
    (resent,) = (one for one in letters(gateway, tenant_id=shop.tenant.tenant_id) if one["entity"] == sets[0].key)
    assert resent["outcome"] == "handled"
    send(gateway, parked(sets[0], **as_set))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    (document,) = shop.tenant.http.get("/v1/documents", params={"company_id": shop.company_id}).json()["items"]
    named = {"company_id": shop.company_id, "document_keys": [document["document_key"]]}
    assert shop.tenant.http.post("/v1/resends", json=named).status_code == 202
    assert shown_as(shop, "1") == STUCK
    gateway.publish(sets[0])
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)


def test_each_company_file_has_its_own_letter_of_an_order_that_moved(gateway: Gateway, shop: Shop) -> None:
    """The connection pointed at another company file before: what died of that one is nothing of this one's."""
    listed = running.transactions_listed(shop, "1")
    gateway.publish(running.order_listed(shop, "1"), listed, running.document_changed(shop, "1"))
    running.eventually(lambda: shown_as(shop, "1") == WRITTEN)
    as_set: dict[str, Any] = {"contract": TransactionSet, "queue": "ledger-writer.transactions-mapped"}
    whose = {"tenant_id": shop.tenant.tenant_id}
    for company_id in ("a-former-one", "z-former-one"):
        send(gateway, parked(listed.model_copy(update={"company_id": company_id}), **as_set))
    running.eventually(lambda: len(letters(gateway, **whose)) == 2)
    assert shown_as(shop, "1") == WRITTEN
    send(gateway, parked(listed, **as_set))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    newer = listed.model_copy(update={"revision": 2, "documents": 2})
    send(gateway, parked(newer, **as_set, error="ValueError"))
    gateway.publish(newer)
    running.eventually(lambda: len(letters(gateway, **whose)) == 4)
    for error in ("ValueError", "KeyError"):
        ids = [one["dead_letter_id"] for one in letters(gateway, **whose) if one["entity"] == listed.key]
        archived = gateway.operator.post("/v1/dead-letters/archive", json={"ids": ids, "error_type": error})
        assert archived.json() == {"archived": 1}

    def cure() -> str:
        (order,) = shop.tenant.http.get("/v1/orders").json()["items"]
        return str(order["reason"]["cure"]) if order["reason"] else ""

    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    running.eventually(lambda: cure().startswith("It was archived."))


def test_a_list_entry_that_was_set_aside_shows_until_its_replay_is_stored(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "1"))
    running.eventually(lambda: shown_as(shop, "1") == UNDER_WAY)
    send(gateway, parked(running.transactions_listed(shop, "1", documents=0), queue="api.transactions-listed"))
    running.eventually(lambda: shown_as(shop, "1") == STUCK)
    replay(gateway, tenant_id=shop.tenant.tenant_id)
    running.eventually(lambda: shown_as(shop, "1") != STUCK)
    running.eventually(lambda: shown_as(shop, "1") != UNDER_WAY)
    assert shown_as(shop, "1") == ("out_of_scope", "")


def test_an_order_whose_first_list_entry_was_set_aside_is_a_warning_until_it_is_listed(
    gateway: Gateway, shop: Shop
) -> None:
    """Nothing else is known of it here: it has no number, and no amount."""
    order, unknown = running.order_listed(shop, "gid://order/1"), running.order_listed(shop, "2")
    strangers = unknown.model_copy(update={"tenant_id": gateway.tenant().tenant_id})
    nowhere = unknown.model_copy(update={"connection_id": "con_gone"})
    send(gateway, parked(order), parked(order), parked(strangers), parked(nowhere))
    running.eventually(lambda: shown_as(shop, order.external_id) == STUCK)
    running.eventually(lambda: len(letters(gateway, tenant_id=strangers.tenant_id)) == 1)
    http, company = shop.tenant.http, f"/v1/companies/{shop.company_id}"
    (listed,) = http.get("/v1/orders").json()["items"]
    assert (listed["external_id"], listed["number"], listed["total"]) == (order.external_id, "", None)
    (group,) = http.get(f"{company}/warnings").json()["groups"]
    assert (group["code"], group["entities"]) == ("MESSAGE_PARKED", 1)
    row = http.get(f"{company}/overview").json()["rows"][0]
    assert (row["name"], row["source"], row["warnings"]) == ("orders", 1, 1)
    answer = http.post("/v1/resends", json={"company_id": shop.company_id, "order_ids": [order_id(order.key)]})
    run = f"/v1/runs/{answer.json()['run_id']}"
    assert http.get(run).json()["results"] == {"in_progress": 1}
    gateway.publish(order, running.transactions_listed(shop, order.external_id))
    gateway.publish(running.document_changed(shop, order.external_id))
    running.eventually(lambda: shown_as(shop, order.external_id) == WRITTEN)
    assert [one["number"] for one in http.get("/v1/orders").json()["items"]] == [order.number]
    assert http.get(run).json()["results"] == {"synced": 1}


@pytest.mark.slow
def test_a_replay_goes_on_where_a_crash_left_it_and_may_repeat(gateway: Gateway, shop: Shop) -> None:
    whose = {"tenant_id": shop.tenant.tenant_id}
    states = [running.order_listed(shop, str(n)) for n in range(120)]
    send(gateway, *(parked(state) for state in states))
    running.eventually(lambda: len(letters(gateway, **whose, limit=500)) == 120)
    died: list[bool] = []

    async def die_half_way() -> None:
        # A worker that publishes one batch and dies before it can note it: the transaction is rolled back.
        settings = gateway.app.state.settings
        cipher = build(settings).state.cipher
        async with running_runtime("api", settings) as runtime:
            publish = runtime.broker.publish_each

            async def publish_and_die(messages: Sequence[Outgoing]) -> list[BrokerLost | Unroutable | None]:
                await publish(messages)
                raise KeyboardInterrupt

            runtime.broker.publish_each = publish_and_die  # type: ignore[method-assign]
            async with runtime.transaction() as (connection, _):
                chosen = Selection(tenant_id=shop.tenant.tenant_id)
                await store.start_job(connection, "rep_x", chosen, {}, "test", 1000)
            try:
                await replay_once(runtime, cipher, 50)
            except KeyboardInterrupt:
                died.append(True)

    asyncio.run(die_half_way())
    running.eventually(lambda: job(gateway, "rep_x")["finished_at"])
    running.eventually(lambda: job(gateway, "rep_x")["outcomes"] == {"handled": 120})
    assert died == [True]
    assert job(gateway, "rep_x")["published"] == 120
    assert len(shop.tenant.http.get("/v1/orders", params={"limit": 500}).json()["items"]) == 120
