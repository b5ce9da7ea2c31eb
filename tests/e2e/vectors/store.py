"""A custom store to be pulled from, with one order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
from tests.e2e.canonical import custom_document

from common.messages.orders import Order


@dataclass(slots=True)
class Store:
    """Where it is, and whether it answers: a store that does not work refuses every request for good."""

    address: str
    works: bool = True


@contextmanager
def serving(order: Order) -> Iterator[Store]:
    """A store whose API answers with one order, by window or by number."""
    document = custom_document(order)
    store = Store("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query).get("order_number", [order.number])
            orders = [document] if order.number in asked else []
            body = orjson.dumps({"orders": orders} if store.works else {"error": "out of order"})
            self.send_response(200 if store.works else 400)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    store.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
