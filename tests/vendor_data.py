"""Where the vendors' published data lies: payloads, schemas and samples that tests hold the product against.

They are not part of this project. `TILLBOOK_VENDOR_DATA` names the folder that has them, one folder a vendor; without
it they are looked for beside the project. A test that needs them is skipped where they are not.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("TILLBOOK_VENDOR_DATA") or Path(__file__).parents[2] / "shared" / "vendors")
CURE = "set TILLBOOK_VENDOR_DATA to the folder of the vendors' data"


def published(path: str) -> Path:
    """A file or folder below the vendors' data, or a skip that says what to set."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"{path} is not in {FOLDER}: {CURE}")
    return found


def has(*vendors: str) -> bool:
    """Whether there is data of all of these vendors."""
    return all((FOLDER / vendor).is_dir() for vendor in vendors)


def needs(*vendors: str) -> pytest.MarkDecorator:
    """Skip a module's tests where there is no data of one of these vendors."""
    return pytest.mark.skipif(not has(*vendors), reason=f"no data of {' and '.join(vendors)} in {FOLDER}: {CURE}")
