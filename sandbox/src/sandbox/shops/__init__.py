"""Sample shops: a generator of realistic shop life, and servers that speak the sales channels' wire protocols."""

from sandbox.shops.expectation import Expectation
from sandbox.shops.life import Event, ShopLife, Snapshot
from sandbox.shops.shop import SHOPS, Kind, Shop

__all__ = ["SHOPS", "Event", "Expectation", "Kind", "Shop", "ShopLife", "Snapshot"]
