"""What each entity may hold: field kinds, lengths, enumerations, and the checks made before any business rule."""

from sandbox.quickbooks_online.schema.entities import ENTITIES, entity_name, json_name
from sandbox.quickbooks_online.schema.fields import Field, Spec

__all__ = ["ENTITIES", "Field", "Spec", "entity_name", "json_name"]
