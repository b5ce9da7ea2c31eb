"""A tenant leaves: everything of theirs is removed, here and later what was under way."""

from common.forgetting import Forgetting
from ingest.store.connections import purge

FORGETTING = Forgetting("ingest", purge)
