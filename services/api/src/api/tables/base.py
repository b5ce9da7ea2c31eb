"""The registry of this service's tables."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class Base(SQLModel, registry=registry()):
    """A registry of its own: several services' tables may be loaded into one process by tests and tools."""
