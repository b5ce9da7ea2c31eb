"""`python -m api` serves; `migrate` migrates the schema; `republish MOMENT` sends again what went out since."""

import sys

from api.main import build
from api.settings import ApiSettings
from common.command import run

sys.exit(run("api", ApiSettings, build, sys.argv[1:]))
