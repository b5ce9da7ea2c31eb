"""The floor: what the raw parts cost when nothing is done with an order but carrying it. Imports nothing of ours.

Three hops over durable quorum queues of one broker; each hop inserts a batch of the same body into one Postgres with
one statement, publishes it on with confirms, and acknowledges the batch with one frame. One process a hop and one
feeder, uvloop, no domain logic. The best of the batch sizes counts.

    python bench/floor.py --postgres URL --broker URL [--orders 4000] [--body-bytes 1600]

Prints one JSON object: orders per second (from the first publish to the last commit of the last hop) by batch size.
"""

import argparse
import asyncio
import json
import secrets
import subprocess
import sys
import time

import aio_pika
import aiormq
import asyncpg
import uvloop

HOPS = 3
BATCHES = (50, 100, 200)
QUEUE_ARGUMENTS: aiormq.abc.FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 20}
INSERT = "INSERT INTO {table} (id, body) SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING"


def queue_name(prefix: str, hop: int) -> str:
    """Queue that feeds the hop."""
    return f"{prefix}.hop{hop}"


def table_name(prefix: str, hop: int) -> str:
    """Table that the hop inserts into."""
    return f"{prefix}_hop{hop}"


async def channel_of(url: str) -> aiormq.abc.AbstractChannel:
    """A channel with confirms on the plain AMQP layer."""
    connection = await aiormq.connect(url)
    return await connection.channel(publisher_confirms=True)


async def prepare(postgres: str, broker: str, prefix: str) -> None:
    """Create the queues and tables of one run."""
    connection = await asyncpg.connect(postgres)
    for hop in range(HOPS):
        await connection.execute(f"CREATE TABLE {table_name(prefix, hop)} (id text PRIMARY KEY, body bytea NOT NULL)")
    await connection.close()
    async with await aio_pika.connect(broker) as amqp:
        channel = await amqp.channel()
        for hop in range(HOPS):
            await channel.declare_queue(queue_name(prefix, hop), durable=True, arguments=QUEUE_ARGUMENTS)


async def remove(postgres: str, broker: str, prefix: str) -> None:
    """Drop what `prepare` made."""
    connection = await asyncpg.connect(postgres)
    for hop in range(HOPS):
        await connection.execute(f"DROP TABLE IF EXISTS {table_name(prefix, hop)}")
    await connection.close()
    async with await aio_pika.connect(broker) as amqp:
        channel = await amqp.channel()
        for hop in range(HOPS):
            await channel.queue_delete(queue_name(prefix, hop))


PERSISTENT = aiormq.spec.Basic.Properties(delivery_mode=2)


async def hop_process(postgres: str, broker: str, prefix: str, hop: int, orders: int, batch: int) -> None:
    """One hop: take a batch, insert it, publish it on, acknowledge it, until all orders have passed."""
    connection = await asyncpg.connect(postgres)
    channel = await channel_of(broker)
    await channel.basic_qos(prefetch_count=batch * 2)
    arrived: asyncio.Queue[aiormq.abc.DeliveredMessage] = asyncio.Queue()
    await channel.basic_consume(queue_name(prefix, hop), arrived.put)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    statement = INSERT.format(table=table_name(prefix, hop))
    target = queue_name(prefix, hop + 1) if hop + 1 < HOPS else None
    passed = 0
    while passed < orders:
        messages = [await arrived.get()]
        while len(messages) < batch and not arrived.empty():
            messages.append(arrived.get_nowait())
        bodies = [message.body for message in messages]
        await connection.execute(statement, [body[:32].decode() for body in bodies], bodies)
        if target is not None:
            await asyncio.gather(
                *(channel.basic_publish(body, routing_key=target, properties=PERSISTENT) for body in bodies)
            )
        tag = messages[-1].delivery_tag
        assert tag is not None
        await channel.basic_ack(tag, multiple=True)
        passed += len(messages)
    sys.stdout.write(f"done {time.time()}\n")
    sys.stdout.flush()
    await connection.close()


async def feed(broker: str, prefix: str, orders: int, body_bytes: int, batch: int) -> float:
    """Publish distinct orders with confirms. Returns the time of the first publish."""
    channel = await channel_of(broker)
    padding = secrets.token_bytes(body_bytes - 32)
    bodies = [secrets.token_hex(16).encode() + padding for _ in range(orders)]
    started = time.time()
    for at in range(0, orders, batch):
        await asyncio.gather(
            *(
                channel.basic_publish(body, routing_key=queue_name(prefix, 0), properties=PERSISTENT)
                for body in bodies[at : at + batch]
            )
        )
    return started


def run_once(postgres: str, broker: str, orders: int, body_bytes: int, batch: int) -> float:
    """Orders per second of one run with one batch size."""
    prefix = f"floor{secrets.token_hex(4)}"
    uvloop.run(prepare(postgres, broker, prefix))
    command = [sys.executable, __file__, "--postgres", postgres, "--broker", broker, "--prefix", prefix]
    hops = [
        subprocess.Popen(
            [*command, "--hop", str(hop), "--orders", str(orders), "--batch", str(batch)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for hop in range(HOPS)
    ]
    try:
        for process in hops:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a hop did not start")
        started = uvloop.run(feed(broker, prefix, orders, body_bytes, batch))
        last = hops[-1].stdout
        assert last is not None
        ended = float(last.readline().split()[1])
        for process in hops:
            process.wait(timeout=60)
    finally:
        for process in hops:
            if process.poll() is None:
                process.kill()
        uvloop.run(remove(postgres, broker, prefix))
    return orders / (ended - started)


def main() -> None:
    """Measure every batch size, or be one hop of a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", required=True)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--body-bytes", type=int, default=1600)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--prefix")
    parser.add_argument("--hop", type=int)
    chosen = parser.parse_args()
    if chosen.hop is not None:
        uvloop.run(hop_process(chosen.postgres, chosen.broker, chosen.prefix, chosen.hop, chosen.orders, chosen.batch))
        return
    sizes = (chosen.batch,) if chosen.batch else BATCHES
    rates = {
        str(batch): round(run_once(chosen.postgres, chosen.broker, chosen.orders, chosen.body_bytes, batch), 1)
        for batch in sizes
    }
    print(json.dumps({"orders_per_s": rates, "best": max(rates.values())}))


if __name__ == "__main__":
    main()
