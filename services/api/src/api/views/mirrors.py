"""What operators see of mirrors: how much each has, and where it differs from its owner."""

from datetime import datetime

from api.mirrors import Mirror
from api.views.base import View


class MirroredEntities(View):
    """All entities of one type, at their owner and in a mirror."""

    mirror: Mirror
    entity: str
    """Type of the states, e.g. `order.normalized.v1`."""
    owner_rows: int
    mirror_rows: int


class MirrorDifference(MirroredEntities):
    """What differed at two looks some minutes apart, while nothing moved on either side.

    Equal rows and unequal revisions: as many are there, and one of them is not the newest.
    """

    company_id: str
    connection_id: str
    """Empty where entities of this type belong to no company file or no connection."""
    owner_revisions: int
    mirror_revisions: int
    """Sum of the revisions."""


class MirrorCheck(View):
    """What the last comparison of a tenant's mirrors with their owners found."""

    tenant_id: str
    checked_at: datetime | None
    """When it ended; null: never yet."""
    next_look_at: datetime | None
    """When the next comparison begins, or this one goes on."""
    going_on: bool
    """Something differed at a first look. The second one, some minutes later, says whether that stays."""
    differences: tuple[MirrorDifference, ...]
    under_way: int
    """Places that differed while something moved: not judged, and looked at again next time."""
    entities: tuple[MirroredEntities, ...]
