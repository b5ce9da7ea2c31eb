"""`python -m sandbox.shops --port N` serves sample shops; `python -m sandbox.shops send …` posts webhooks by hand."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import uvicorn

from sandbox.shops.admin import KINDS, open_shop
from sandbox.shops.app import make_app
from sandbox.shops.life import ShopLife
from sandbox.shops.mischief import forged, repeated, shuffled, with_unknown_currency, with_unknown_status
from sandbox.shops.sender import Report, WebhookSender
from sandbox.shops.shop import SHOPS
from sandbox.shops.signatures import Delivery

VARIABLE = "SANDBOX_WEBHOOK_SECRET"


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands; gives the exit code."""
    if arguments[:1] == ["send"]:
        return _send(_send_parser().parse_args(arguments[1:]))
    given = _serve_parser().parse_args(arguments)
    app = make_app()
    for text in given.shop:
        try:
            store = open_shop(dict(part.split("=", 1) for part in text.split(",")))
        except (TypeError, ValueError) as error:
            print(f"--shop {text}: {error}", file=sys.stderr)
            return 2
        app.state.shops[store.name] = store
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")
    return 0


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.shops", description="Serve sample shops on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--shop", action="append", default=[], help="name=north,kind=shopify,shop=us,seed=7; may be repeated"
    )
    return parser


def _send_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.shops send", description="Post a sample shop's webhooks.")
    parser.add_argument("url", help="the receiver")
    parser.add_argument("--secret", default=os.environ.get(VARIABLE), help=f"signing secret (or {VARIABLE})")
    parser.add_argument("--kind", choices=KINDS, default="shopify")
    parser.add_argument("--shop", choices=sorted(SHOPS), default="us")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--start-date", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(days=7))
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--in-order", action="store_true", help="keep the webhooks of one order in sequence")
    parser.add_argument("--mischief", choices=["forge", "repeat", "shuffle", "currency", "status"])
    return parser


def _send(given: argparse.Namespace) -> int:
    if not given.secret:
        print(f"secret: none given; pass --secret or set {VARIABLE}", file=sys.stderr)
        return 2
    life = ShopLife(given.seed, given.kind, given.shop, given.start_date)
    sender = WebhookSender(given.url, given.secret, concurrency=given.concurrency, in_order=given.in_order)
    report = asyncio.run(sender.send(_deliveries(life, given.orders, given.mischief, given.seed)))
    _show(report)
    return 0 if report.accepted == report.sent else 1


def _deliveries(life: ShopLife, orders: int, mischief: str | None, seed: int) -> list[Delivery]:
    events = list(life.events(orders))
    match mischief:
        case "forge":
            return [forged(event) for event in events]
        case "repeat":
            return [delivery for event in events for delivery in repeated(event)]
        case "shuffle":
            return shuffled(events, seed)
        case "currency":
            return [Delivery.of(with_unknown_currency(event)) for event in events]
        case "status":
            return [Delivery.of(with_unknown_status(event)) for event in events]
    return [Delivery.of(event) for event in events]


def _show(report: Report) -> None:
    print(f"{report.sent} sent in {report.seconds:.2f} s, {report.accepted} accepted")
    for status, count in sorted(report.by_status.items()):
        print(f"  {status or 'no answer'}: {count}")
    for failure in report.failures[:10]:
        print(f"  {failure.topic} of order {failure.order_id}: {failure.reason}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
