"""Which process listens where. Kept between starts, because shops and browsers know the addresses."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.infrastructure.endpoints import write_private
from sandbox.infrastructure.processes import choose_port


def assign_ports(file: Path, names: Sequence[str], *, running: Mapping[str, bool]) -> dict[str, int]:
    """A port for every name: last time's where it is free or its own process runs, TILLBOOK_API_PORT for `api`.

    Raises CannotProvision when the port named in the environment is taken.
    """
    kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    ports: dict[str, int] = {}
    for name in names:
        if name in kept and running.get(name):
            ports[name] = kept[name]
            continue
        taken = {*ports.values(), *kept.values()} - {kept.get(name, 0)}
        ports[name] = choose_port(_variable(name, names), previous=kept.get(name), taken=taken)
    write_private(file, json.dumps({**kept, **ports}, indent=2))
    return ports


def check_named(names: Sequence[str], *, running: Mapping[str, bool]) -> None:
    """Before anything is started: raises CannotProvision when a port named in the environment can't be used."""
    for name in names:
        if not running.get(name):
            choose_port(_variable(name, names))


def set_aside(file: Path, names: Sequence[str], *, running: Mapping[str, bool]) -> list[str]:
    """A sentence for each port named in the environment whose process runs at another one, and is not moved."""
    kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    said = []
    for name in names:
        variable = _variable(name, names)
        wanted = os.environ.get(variable)
        if wanted and running.get(name) and wanted != str(kept.get(name, wanted)):
            said.append(f"{name} runs and stays at port {kept[name]}; {variable}={wanted} counts after `make down`")
    return said


def _variable(name: str, names: Sequence[str]) -> str:
    # Where a service has one replica, that replica is the service: TILLBOOK_API_PORT means api-1.
    front = name.removesuffix("-1")
    return variable_of(name if front in names else front)


def variable_of(name: str) -> str:
    """The variable that fixes the port of a process: TILLBOOK_API_PORT, TILLBOOK_QUICKBOOKS_ONLINE_PORT."""
    return f"TILLBOOK_{name.replace('-', '_').upper()}_PORT"
