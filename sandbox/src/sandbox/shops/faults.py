"""Faults on demand: what goes wrong with a vendor's API, for how many calls, on which paths."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal, get_args

from starlette.responses import HTMLResponse, JSONResponse, Response

FaultKind = Literal["throttle", "error", "unavailable", "timeout", "slow", "broken_json", "drift"]
FAULT_KINDS: Final[tuple[str, ...]] = get_args(FaultKind)
WAIT_S_MAX: Final = 120.0
UNAVAILABLE_PAGE: Final = "<!DOCTYPE html><html><body><h1>Service Temporarily Unavailable</h1></body></html>"


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the next `times` calls whose path contains `path`.

    throttle: 429 with Retry-After `seconds` · error: 500 · unavailable: 503 with an HTML page · timeout: no answer for
    `seconds`, then 504 · slow: the right answer after `seconds` · broken_json: the right answer cut in half ·
    drift: one more thing happens in the shop before each answer, so that rows move between pages
    """

    kind: FaultKind
    times: int = 1
    path: str = ""
    seconds: float = 1.0


class Faults:
    """The faults waiting to happen, first in, first out for each path."""

    def __init__(self) -> None:
        self.waiting: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Queue a fault. Raises ValueError for one that could never happen."""
        if fault.kind not in FAULT_KINDS:
            message = f"kind: {fault.kind!r} is not a fault; use one of {', '.join(FAULT_KINDS)}"
            raise ValueError(message)
        if fault.times < 1 or not 0 <= fault.seconds <= WAIT_S_MAX:
            given = f"times: {fault.times}, seconds: {fault.seconds}"
            message = f"{given}; give at least 1 time and 0 to {WAIT_S_MAX:.0f} seconds"
            raise ValueError(message)
        self.waiting.append(fault)

    def take(self, path: str) -> Fault | None:
        """The fault this call meets, if any."""
        for fault in self.waiting:
            if fault.path in path:
                fault.times -= 1
                if fault.times == 0:
                    self.waiting.remove(fault)
                return fault
        return None


async def answer_instead(fault: Fault) -> Response | None:
    """What a call gets in place of its answer; None where it still gets one."""
    match fault.kind:
        case "throttle":
            return JSONResponse({"errors": "Too many requests"}, 429, headers={"Retry-After": str(fault.seconds)})
        case "error":
            return JSONResponse({"errors": "Internal Server Error"}, 500)
        case "unavailable":
            return HTMLResponse(UNAVAILABLE_PAGE, 503)
        case "timeout":
            await asyncio.sleep(fault.seconds)
            return HTMLResponse("<html><body>Gateway Time-out</body></html>", 504)
        case "slow":
            await asyncio.sleep(fault.seconds)
    return None
