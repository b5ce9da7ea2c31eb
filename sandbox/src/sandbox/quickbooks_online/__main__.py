"""``python -m sandbox.quickbooks_online --port N``: run the stand-in on the loopback interface."""

from __future__ import annotations

import argparse
import gc
from functools import partial
from pathlib import Path

import uvicorn

from sandbox.quickbooks_online.app import StandIn
from sandbox.quickbooks_online.limits import LimitSettings
from sandbox.quickbooks_online.seed import seed_realms
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.state import load_state, save_state
from sandbox.quickbooks_online.tokens import Client


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.quickbooks_online", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--client", action="append", default=[], metavar="ID:SECRET", help="an app that may connect")
    parser.add_argument("--limits", metavar="SCALE", type=float, help="enforce the published limits times SCALE")
    parser.add_argument("--state", type=Path, metavar="FILE", help="load state from FILE if it exists, save on exit")
    parser.add_argument(
        "--latency-ms", metavar="MS", type=float, default=0, help="answer each API call this much later"
    )
    options = parser.parse_args()
    server = Server()
    for text in options.client:
        identifier, _, secret = text.partition(":")
        server.tokens.clients[identifier] = Client(identifier, secret)
    server.settings.latency_ms = options.latency_ms
    if options.limits:
        server.limits = LimitSettings.published(options.limits)
    if options.state is not None and options.state.exists():
        load_state(server, options.state)
    else:
        seed_realms(server)
    # Documents are long-lived and free of cycles: collecting them took a third of the time and found nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    keep = None if options.state is None else partial(save_state, server, options.state)
    uvicorn.run(StandIn(server, keep), host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
