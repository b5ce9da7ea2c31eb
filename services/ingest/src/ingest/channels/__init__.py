"""Every sales channel there is. Adding one is adding a folder and a name to this tuple; nothing else changes."""

from ingest.channel import Channel
from ingest.channels import custom, shopify, stripe, woocommerce

CHANNELS: tuple[Channel, ...] = (shopify.CHANNEL, woocommerce.CHANNEL, custom.CHANNEL, stripe.CHANNEL)
BY_NAME: dict[str, Channel] = {channel.name: channel for channel in CHANNELS}

__all__ = ["BY_NAME", "CHANNELS"]
