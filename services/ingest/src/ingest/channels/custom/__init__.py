"""Custom store: signed pushes of order documents, and pulling in the native or the older contract."""

from ingest.channel import Capability, Channel
from ingest.channels.custom.client import CustomClient
from ingest.channels.custom.normalization import CHANNEL as NAME
from ingest.channels.custom.normalization import glance, normalize
from ingest.channels.custom.settings import CustomCredentials
from ingest.channels.custom.webhook import TOPICS, parse, verify

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
)

__all__ = ["CHANNEL"]
