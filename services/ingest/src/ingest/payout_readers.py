"""Which pure function reads which kind of payout: the channels' own, and those of uploaded files."""

from ingest.channels import CHANNELS
from ingest.payout_intake import Reader
from ingest.uploads import FORMATS

READERS: dict[str, Reader] = {
    **{one.name: one.normalize_payout for one in CHANNELS if one.normalize_payout is not None},
    **{one.name: one.normalize for one in FORMATS},
}
