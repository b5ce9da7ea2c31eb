"""The whole product as local processes, for demo, tests and benchmarks.

    async with Stack("demo", replicas={"mapper": 2}).running() as stack:
        stack.url_of("api"), stack.operator_key
        stack.kill("mapper-1")
        await stack.restart("mapper-1")

`python -m sandbox.stack up|status|down` keeps one running.
"""

from sandbox.stack.replica import NotReady, Replica
from sandbox.stack.stack import SERVERS, Stack

__all__ = ["SERVERS", "NotReady", "Replica", "Stack"]
