"""`python -m sandbox.stack up|status|down`: keep the product running on this machine."""

import argparse
import asyncio
import sys

from common.topology import SERVICES
from sandbox.demo.gateway import Refused
from sandbox.demo.scenery import tenant_key
from sandbox.infrastructure import CannotProvision
from sandbox.infrastructure.processes import ServerProcess
from sandbox.infrastructure.progress import say
from sandbox.stack.environment import inherited
from sandbox.stack.replica import NotReady
from sandbox.stack.stack import Stack


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stack", description="The product on this machine")
    parser.add_argument("command", choices=["up", "status", "down", "supervise"])
    parser.add_argument("--name", default="main", help="separates stacks on the same servers")
    parser.add_argument("--replicas", type=int, default=1, help="of each service")
    given = parser.parse_args(arguments)
    try:
        stack = Stack(given.name, replicas=dict.fromkeys(SERVICES, given.replicas))
        if given.command == "up":
            asyncio.run(up(stack, given.replicas))
        elif given.command == "supervise":
            asyncio.run(supervise(stack))
        elif given.command == "down":
            asyncio.run(stack.stop())
            if not stack.infrastructure.release():
                say("Postgres and RabbitMQ run on until the program that uses them ends")
        else:
            return 0 if show_status(stack) else 1
    except (CannotProvision, NotReady, Refused, RuntimeError) as problem:
        say(str(problem))
        return 1
    return 0


async def up(stack: Stack, replicas: int) -> None:
    """Start everything and a supervisor, and say where it is."""
    stack.check_ports()
    for sentence in stack.ports_set_aside():
        say(sentence)
    stack.infrastructure.up(keep=True)
    await stack.start()
    supervisor = ServerProcess(stack.folder / "supervisor.process")
    if not supervisor.running():
        supervisor.start(
            [sys.executable, "-m", "sandbox.stack", "supervise", "--name", stack.name, "--replicas", str(replicas)],
            log=stack.folder / "logs" / "supervisor.log",
            environment={**inherited(), "TILLBOOK_STATE_DIR": str(stack.infrastructure.state.root)},
            folder=stack.folder,
        )
    for name in (*SERVICES, *stack.stand_ins):
        print(f"{name:18} {stack.url_of(name)}")
    print(f"{'operator key':18} {stack.operator_key}")
    print(f"{'API key':18} {await first_key(stack)}")
    print(f"{'books':18} {stack.books}")
    print(f"{'logs':18} {stack.folder / 'logs'}")


async def first_key(stack: Stack) -> str:
    """A key of this stack's own tenant, made at the first start and kept for its owner's eyes."""
    file = stack.folder / "api-key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(await tenant_key(stack, "Main"))
    return file.read_text()


async def supervise(stack: Stack) -> None:
    """Attach to the running processes and revive what dies."""
    await stack.start()
    await stack.supervise()


def show_status(stack: Stack) -> bool:
    """One line a process. True if there are services and everything runs."""
    servers = stack.infrastructure.status()
    for server, state in servers.items():
        print(f"{server:18} {state}")
    processes = {record.stem: ServerProcess(record).running() for record in sorted(stack.folder.glob("*.process"))}
    for name, process in processes.items():
        print(f"{name:18} {f'running, pid {process.pid}' if process else 'stopped'}")
    if not processes:
        print("no services; `make up` starts them")
    return bool(processes) and all(processes.values()) and "stopped" not in servers.values()


if __name__ == "__main__":
    sys.exit(main())
