from api.tables import METADATA
from common.migrations import run_environment

run_environment(METADATA)
