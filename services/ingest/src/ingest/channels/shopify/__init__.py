"""Shopify: signed webhooks in REST shape, and polling through the REST Admin API."""

from ingest.channel import Capability, Channel, ShopName
from ingest.channels.shopify.client import ShopifyClient
from ingest.channels.shopify.normalization import CHANNEL as NAME
from ingest.channels.shopify.normalization import glance, normalize
from ingest.channels.shopify.payouts import normalize_payout
from ingest.channels.shopify.settings import ShopifyCredentials, domain_of
from ingest.channels.shopify.webhook import TOPICS, parse, verify

CHANNEL = Channel(
    name=NAME,
    title="Shopify",
    capabilities=frozenset({Capability.WEBHOOKS, Capability.SUBSCRIPTIONS, Capability.POLLING, Capability.PAYOUTS}),
    credentials=ShopifyCredentials,
    normalize=normalize,
    glance=glance,
    verify=verify,
    parse=parse,
    connect=ShopifyClient,
    topics=TOPICS,
    normalize_payout=normalize_payout,
    shop_name=ShopName("shop_domain", domain_of),
)

__all__ = ["CHANNEL"]
