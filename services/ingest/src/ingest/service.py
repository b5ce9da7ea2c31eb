"""Everything the running service is made of, built once at start."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from common.crypto import Cipher
from common.forgetting import AGAIN_EVERY_S
from common.handling import Handler
from common.resealing import RESEAL_EVERY_S, reseal_outdated
from common.runtime import Runtime
from ingest.accounts import Accounts
from ingest.deliveries import Deliveries
from ingest.handlers import handlers
from ingest.handlers.tenant_deleted import FORGETTING
from ingest.intake import Intake, Rules
from ingest.payout_intake import PayoutIntake
from ingest.payout_readers import READERS
from ingest.payout_runs import PayoutRuns
from ingest.receiver import Receiver, WebhookDesk
from ingest.reopening import Reopening
from ingest.settings import IngestSettings
from ingest.store.sealed import SEALED
from ingest.workers import Workers


@dataclass(frozen=True, slots=True)
class Service:
    """Collaborators that routes, handlers and workers share."""

    runtime: Runtime
    settings: IngestSettings
    cipher: Cipher
    accounts: Accounts
    intake: Intake
    deliveries: Deliveries
    workers: Workers
    payouts: PayoutIntake

    @classmethod
    def build(cls, runtime: Runtime, settings: IngestSettings) -> "Service":
        """Put the parts together; starts nothing."""
        cipher = Cipher.of(settings.encryption_keys)
        accounts = Accounts(
            runtime.pool, cipher, settings.connection_cache_s, allow_private=settings.allow_private_addresses
        )
        rules = Rules(timedelta(seconds=settings.refetch_delay_s), settings.refetch_attempts_max)
        intake = Intake(cipher, rules)
        deliveries = Deliveries(
            runtime,
            intake,
            group_max=settings.webhook_group_max,
            linger_s=settings.webhook_linger_ms / 1000,
        )
        payouts = PayoutIntake(cipher, READERS)
        reopening = Reopening(runtime, accounts, intake, deliveries, cipher)
        payout_runs = PayoutRuns(runtime, accounts, payouts)
        return cls(
            runtime,
            settings,
            cipher,
            accounts,
            intake,
            deliveries,
            Workers(runtime, settings, accounts, intake, payout_runs, cipher, reopening),
            payouts,
        )

    def start(self, receiver: Receiver) -> None:
        """Take webhooks, consume messages, work on runs."""
        self.deliveries.start()
        receiver.handle = WebhookDesk(self.accounts, self.deliveries, self.workers.wake).handle
        self.workers.start()
        self.runtime.start_consumers(self.handlers())
        reseal = partial(reseal_outdated, self.runtime.pool, self.cipher, SEALED)
        self.runtime.start_every("resealing", RESEAL_EVERY_S, reseal)
        self.runtime.start_every(
            "forgetting", AGAIN_EVERY_S, partial(FORGETTING.look_again, self.runtime), rest_first=True
        )

    def handlers(self) -> tuple[Handler[Any, Any], ...]:
        return handlers(self.workers.wake, self.accounts.forget)
