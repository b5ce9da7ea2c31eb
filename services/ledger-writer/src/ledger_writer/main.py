"""Builds the service: the only module with effects at start."""

from functools import partial

from fastapi import FastAPI

from common.application import create_application
from common.crypto import Cipher
from common.forgetting import AGAIN_EVERY_S
from common.resealing import RESEAL_EVERY_S, reseal_outdated
from common.runtime import Runtime
from ledger_writer.handlers import HANDLERS
from ledger_writer.handlers.tenant_deleted import FORGETTING
from ledger_writer.lanes.holder import Holder
from ledger_writer.lanes.lane import Workshop
from ledger_writer.lanes.turns import Turns
from ledger_writer.lanes.upkeep import ANNOUNCE_EVERY_S, TIDY_EVERY_S, announce_waiting, tidy
from ledger_writer.reconnecting import LOOK_EVERY_S as NOTICES_EVERY_S
from ledger_writer.reconnecting import tell
from ledger_writer.replaying import LOOK_EVERY_S, replay_waiting
from ledger_writer.routes import ROUTERS
from ledger_writer.routes.notices import open_desk
from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store.secrets import SEALED

SERVICE = "ledger-writer"


def create(settings: LedgerWriterSettings) -> FastAPI:
    """The application; it opens its connections when it is served."""

    async def start(app: FastAPI, runtime: Runtime) -> None:
        workshop = Workshop(runtime, settings, Cipher.of(settings.encryption_keys), Turns(runtime.pool))
        app.state.workshop = workshop
        app.state.notices = open_desk(runtime)
        runtime.start_consumers(HANDLERS)
        runtime.start_forever("lanes", Holder(workshop).run)
        runtime.start_forever("notices", app.state.notices.run)
        runtime.start_every("forgetting", AGAIN_EVERY_S, partial(FORGETTING.look_again, runtime), rest_first=True)
        runtime.start_every(
            "resealing", RESEAL_EVERY_S, partial(reseal_outdated, runtime.pool, workshop.cipher, SEALED)
        )
        runtime.start_every("replays", LOOK_EVERY_S, partial(replay_waiting, runtime))
        runtime.start_every("announcements", ANNOUNCE_EVERY_S, partial(announce_waiting, runtime))
        runtime.start_every("tidying", TIDY_EVERY_S, partial(tidy, workshop))
        if settings.sends_mail:
            runtime.start_every("reconnect notices", NOTICES_EVERY_S, partial(tell, runtime, settings))

    return create_application(
        SERVICE,
        settings,
        start,
        ROUTERS,
        description="Brings each company's ledger into the wanted state.",
    )
