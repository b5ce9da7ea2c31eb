"""Columns as all tables of this service write them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlmodel import Field


def text(*, primary: bool = False, null: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.Text, primary_key=primary, nullable=null, server_default=default))


def moment(*, null: bool = False, now: bool = False) -> Any:
    default = sa.func.now() if now else None
    return Field(sa_column=sa.Column(sa.DateTime(timezone=True), nullable=null, server_default=default))


def json(*, null: bool = False) -> Any:
    return Field(sa_column=sa.Column(JSONB, nullable=null))


def big(*, primary: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.BigInteger, primary_key=primary, nullable=False, server_default=default))


def flag(*, default: bool) -> Any:
    return Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true() if default else sa.false()))


def identity() -> Any:
    return Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))


def octets(*, null: bool = False) -> Any:
    return Field(sa_column=sa.Column(BYTEA, nullable=null))


def texts() -> Any:
    return Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False, server_default="{}"))


def amount() -> Any:
    return Field(sa_column=sa.Column(sa.Numeric, nullable=True))


def day() -> Any:
    return Field(sa_column=sa.Column(sa.Date, nullable=True))


def integer(*, null: bool = False) -> Any:
    return Field(sa_column=sa.Column(sa.Integer, nullable=null))
