"""What all answers are made of."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

PAGE_DEFAULT = 50
PAGE_MAX = 500


class View(BaseModel):
    """An answer. Clients ignore fields they don't know: new ones are added without notice."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Page(View, Generic[T]):
    """Part of a list. Ask again with `cursor` set to `next_cursor` for the rest; null: this was the last part."""

    items: list[T]
    next_cursor: str | None = None


Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows at most in one answer.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the answer before.")]


class Accepted(View):
    """Something was begun; `run_id` tells how it goes on."""

    run_id: str = Field(examples=["run_5f0c2f4a7d8f4c1e9b6a3d2e1f0a9b8c"])
    items: int
