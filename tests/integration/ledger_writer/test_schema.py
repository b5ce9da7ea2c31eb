"""The migrations make exactly what the models declare."""

from alembic.util import CommandError
from common.migrations import check
from pydantic import SecretStr
from sandbox.fresh import FreshDatabase


def test_migrations_and_models_agree(postgres_database: FreshDatabase) -> None:
    problem = ""
    try:
        check("ledger_writer", SecretStr(postgres_database.url_for("ledger-writer")))
    except CommandError as error:
        problem = str(error)
    assert problem == ""
