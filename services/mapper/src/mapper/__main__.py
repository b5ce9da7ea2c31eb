"""`python -m mapper` serves; `migrate` migrates the schema; `republish MOMENT` sends again what went out since."""

import sys

from common.command import run
from mapper.main import create
from mapper.settings import MapperSettings

sys.exit(run("mapper", MapperSettings, create, sys.argv[1:]))
