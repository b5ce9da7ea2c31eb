"""WooCommerce: signed webhooks, and polling through the REST API v3."""

from ingest.channel import Capability, Channel, ShopName
from ingest.channels.woocommerce.client import WooCommerceClient
from ingest.channels.woocommerce.normalization import CHANNEL as NAME
from ingest.channels.woocommerce.normalization import glance, normalize
from ingest.channels.woocommerce.settings import WooCommerceCredentials, site_of
from ingest.channels.woocommerce.webhook import TOPICS, parse, verify

CHANNEL = Channel(
    name=NAME,
    title="WooCommerce",
    capabilities=frozenset({Capability.WEBHOOKS, Capability.SUBSCRIPTIONS, Capability.POLLING}),
    credentials=WooCommerceCredentials,
    normalize=normalize,
    glance=glance,
    verify=verify,
    parse=parse,
    connect=WooCommerceClient,
    topics=TOPICS,
    shop_name=ShopName("store_url", site_of),
)

__all__ = ["CHANNEL"]
