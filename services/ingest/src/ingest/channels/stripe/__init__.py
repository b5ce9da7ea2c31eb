"""Stripe: payouts and what is inside them, by REST and by signed event. It has no orders."""

from ingest.channel import Capability, Channel
from ingest.channels.stripe.client import StripeClient
from ingest.channels.stripe.payouts import NAME, normalize_payout
from ingest.channels.stripe.settings import StripeCredentials
from ingest.channels.stripe.webhook import TOPICS, parse, verify
from ingest.without_orders import glance, refuse

CHANNEL = Channel(
    name=NAME,
    title="Stripe",
    capabilities=frozenset({Capability.WEBHOOKS, Capability.PAYOUTS}),
    credentials=StripeCredentials,
    normalize=refuse,
    glance=glance,
    verify=verify,
    parse=parse,
    connect=StripeClient,
    topics=TOPICS,
    normalize_payout=normalize_payout,
)

__all__ = ["CHANNEL"]
