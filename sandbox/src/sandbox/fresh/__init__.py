"""Fresh databases and virtual hosts on shared servers, cheap enough for every test to have its own."""

from sandbox.fresh.databases import Databases, FreshDatabase
from sandbox.fresh.vhosts import FreshVhost, Vhosts

__all__ = ["Databases", "FreshDatabase", "FreshVhost", "Vhosts"]
