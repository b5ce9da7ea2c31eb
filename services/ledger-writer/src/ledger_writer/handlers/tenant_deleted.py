"""A tenant leaves: its company files, documents, attempts and lists are removed, here and later what was under way."""

from common.forgetting import Forgetting
from ledger_writer.store.companies import purge

FORGETTING = Forgetting("ledger-writer", purge)
