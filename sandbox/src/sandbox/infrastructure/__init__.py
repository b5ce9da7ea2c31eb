"""Postgres and RabbitMQ for demo, tests and benchmarks, found or started in this order:

1. the servers named in the environment (`environment.py`)
2. a container engine, if one answers (`containers.py`, `compose.yaml`)
3. private processes of this project on free ports of the loopback interface (`postgres.py`, `rabbitmq.py`)

`lifecycle.py` puts them in that order; `python -m sandbox.infrastructure up|down|status|env` is the command.
"""

from sandbox.infrastructure.endpoints import Endpoints
from sandbox.infrastructure.lifecycle import Infrastructure, borrowed
from sandbox.infrastructure.problems import CannotProvision
from sandbox.infrastructure.state import StateFolder

__all__ = ["CannotProvision", "Endpoints", "Infrastructure", "StateFolder", "borrowed"]
