"""`python -m sandbox.demo`: run the demo. Exit status 0 only if everything it claims holds."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from rich.console import Console

from sandbox.demo.gateway import Refused
from sandbox.demo.play import ORDERS, SERVICES, play
from sandbox.infrastructure import CannotProvision
from sandbox.stack import SERVERS, NotReady


def main() -> int:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description="Two shops, two ledgers, one proof.")
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of each shop")
    parser.add_argument("--replicas", type=int, default=1, help="of each service")
    parser.add_argument("--name", default="demo", help="separates demos on the same servers")
    parser.add_argument(
        "--kill",
        nargs="+",
        default=[],
        choices=[*SERVICES, *SERVERS],
        metavar="NAME",
        help=f"crash these one after the other while webhooks come in, to see that nothing changes in the result:"
        f" {', '.join((*SERVICES, *SERVERS))}",
    )
    given = parser.parse_args()
    console = Console()
    started = time.monotonic()
    try:
        holds = asyncio.run(play(console, given.name, given.orders, given.replicas, given.kill))
    except (CannotProvision, NotReady, Refused, RuntimeError) as problem:
        console.print(f"[red]demo:[/red] {problem}", soft_wrap=True, highlight=False)
        return 1
    console.print(f"\n{time.monotonic() - started:.0f} s in all")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
