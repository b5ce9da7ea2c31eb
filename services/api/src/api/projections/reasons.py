"""Reasons as they are stored: JSON beside the code, which is what lists are filtered and grouped by."""

from common.messages.base import Reason


def reason_json(reason: Reason | None) -> str | None:
    return None if reason is None else reason.model_dump_json()


def reason_code(reason: Reason | None) -> str | None:
    return None if reason is None else reason.code
