"""`python -m ingest` serves; `migrate` migrates the schema; `republish MOMENT` sends again what went out since."""

import sys

from common.command import run
from ingest.main import create_receiver
from ingest.settings import IngestSettings

sys.exit(run("ingest", IngestSettings, create_receiver, sys.argv[1:]))
