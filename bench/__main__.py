"""`python -m bench`: the pipeline and its floor in alternating runs on the same servers; medians and their ratio.

Writes build/reports/bench.json. The floor is a program of its own that imports nothing of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import uvloop
from rich.console import Console
from rich.table import Table

from bench.pipeline import Measured, measure, open_books, order_bytes
from sandbox.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build" / "reports" / "bench.json"
FLOOR = Path(__file__).with_name("floor.py")
STEPS = ("ingest", "mapper", "ledger-writer", "api", "rabbitmq", "postgres")


def measure_floor(stack: Stack, orders: int, body_bytes: int) -> float:
    """Best orders per second of the floor's batch sizes, on the stack's own servers."""
    servers = ["--postgres", stack.place.admin_database_url, "--broker", stack.place.admin_broker_url]
    command = [sys.executable, str(FLOOR), *servers, "--orders", str(orders), "--body-bytes", str(body_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the floor failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout)["best"])


async def run(console: Console, rounds: int, orders: int) -> dict[str, object]:
    """Alternate floor and pipeline; the first pipeline run warms up and does not count."""
    stack = Stack("bench", stand_ins={})
    await stack.destroy()
    floors: list[float] = []
    runs: list[Measured] = []
    async with stack.running(supervised=False):
        await stack.settled()
        gateway, company_id = await open_books(stack)
        async with gateway:
            await measure(stack, gateway, company_id, 0, orders // 4)
            body_bytes = await order_bytes(stack)
            for number in range(1, rounds + 1):
                floors.append(await asyncio.to_thread(measure_floor, stack, orders, body_bytes))
                runs.append(await measure(stack, gateway, company_id, number, orders))
                console.print(f"round {number}: floor {floors[-1]:,.0f}, product {runs[-1].orders_per_s:,.0f} orders/s")
    floor = median(floors)
    rate = median(one.orders_per_s for one in runs)
    cpu = {name: median(one.cpu_us_per_order[name] for one in runs) for name in STEPS}
    return {
        "webhooks_per_s": round(median(one.webhooks_per_s for one in runs), 1),
        "orders_per_s": round(rate, 1),
        "floor_orders_per_s": round(floor, 1),
        "ratio_to_floor": round(rate / floor, 3),
        "cpu_us_per_order": {**cpu, "total": round(sum(cpu.values()), 1)},
        "runs": [round(one.orders_per_s, 1) for one in runs],
        "floors": floors,
        "floor_body_bytes": body_bytes,
        "orders_sent": orders,
        "orders_written": [one.orders_written for one in runs],
    }


def show(console: Console, figures: dict[str, object]) -> None:
    """The figures as a table."""
    table = Table("figure", "value")
    for name in ("webhooks_per_s", "orders_per_s", "floor_orders_per_s", "ratio_to_floor"):
        table.add_row(name, str(figures[name]))
    cpu = figures["cpu_us_per_order"]
    if isinstance(cpu, dict):
        for name, value in cpu.items():
            table.add_row(f"CPU us per order: {name}", f"{value:,.0f}")
    console.print(table)
    console.print("Orders that wait for their payment have no document and are not counted as written.")


def main() -> int:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Throughput against the floor.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=12000)
    given = parser.parse_args()
    console = Console()
    figures = uvloop.run(run(console, given.rounds, given.orders))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    show(console, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
