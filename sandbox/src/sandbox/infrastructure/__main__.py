"""`python -m sandbox.infrastructure up|down|status|env`."""

import argparse
import shlex
import sys

from sandbox.infrastructure.endpoints import without_password
from sandbox.infrastructure.lifecycle import Infrastructure
from sandbox.infrastructure.problems import CannotProvision
from sandbox.infrastructure.progress import say
from sandbox.infrastructure.state import StateFolder


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.infrastructure", description="Postgres and RabbitMQ")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="find or start both servers and keep them running")
    commands.add_parser("down", help="stop what was started here; data stays")
    commands.add_parser("status", help="say what runs")
    commands.add_parser("env", help="like up, and print the variables for a shell (they hold passwords)")
    command = parser.parse_args(arguments).command
    try:
        run(command, Infrastructure(StateFolder.default()))
    except CannotProvision as problem:
        say(str(problem))
        return 1
    return 0


def run(command: str, infrastructure: Infrastructure) -> None:
    """Do what was asked, and print it."""
    if command == "down":
        infrastructure.down()
    elif command == "status":
        for server, state in infrastructure.status().items():
            print(f"{server}: {state}")
    else:
        endpoints = infrastructure.up(keep=True)
        if command == "env":
            for name, value in endpoints.environment().items():
                print(f"export {name}={shlex.quote(value)}")
        else:
            print(f"postgres: {without_password(endpoints.postgres_url)}")
            print(f"rabbitmq: {without_password(endpoints.rabbitmq_url)}")
            print(f"management: {without_password(endpoints.management_url)}")


if __name__ == "__main__":
    sys.exit(main())
