"""Writes the packs of the release that is being made: `make released`."""

import sys
from pathlib import Path

from tests.contract.released.filled import filled

from common.messages import BY_TYPE
from common.packs import encode_member, join_members

HERE = Path(__file__).parent
RELEASE = "0.1.0"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def main() -> int:
    """Write a folder of packs; refuse where the release has one: its messages are on their way already."""
    folder = HERE / RELEASE
    if folder.exists():
        sys.stderr.write(f"{RELEASE} has its packs: raise RELEASE in {Path(__file__).name} first\n")
        return 1
    folder.mkdir()
    for type_name, contract in BY_TYPE.items():
        pack = join_members([encode_member(filled(contract).encoded(), "run-1", TRACE)])
        (folder / f"{type_name}.json").write_bytes(pack + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
