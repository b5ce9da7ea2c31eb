"""Custom store: signed pushes of order documents, and pulling in the native or the older contract."""

from ingest.channel import Capability, Channel, Pushed
from ingest.channels.custom.client import CustomClient
from ingest.channels.custom.example import EXAMPLE
from ingest.channels.custom.normalization import CHANNEL as NAME
from ingest.channels.custom.normalization import glance, normalize
from ingest.channels.custom.settings import CustomCredentials
from ingest.channels.custom.webhook import IDEMPOTENCY_KEY, ORDERS_MAX, SIGNATURE, SKEW_MAX_S, TOPICS, parse, verify
from ingest.channels.custom.wire import CustomOrder

CHANNEL = Channel(
    name=NAME,
    title="Custom store",
    capabilities=frozenset({Capability.WEBHOOKS, Capability.POLLING, Capability.PUSHES_CANONICAL}),
    credentials=CustomCredentials,
    normalize=normalize,
    glance=glance,
    verify=verify,
    parse=parse,
    connect=CustomClient,
    topics=TOPICS,
    pushed=Pushed(
        document=CustomOrder,
        headers={
            SIGNATURE: "t=<unix seconds>,v1=<hex HMAC-SHA256(signing_secret, t + '.' + raw body)>, "
            f"made at most {SKEW_MAX_S} s ago",
            IDEMPOTENCY_KEY: "your own id of this request, at most 200 characters; else the body's hash is used",
        },
        documents_max=ORDERS_MAX,
        example=EXAMPLE,
    ),
)

__all__ = ["CHANNEL"]
