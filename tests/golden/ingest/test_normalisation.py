"""Normalised orders compared with files, so that a review sees what a change of a channel changes.

Cases are frozen events of the project's own sample shops. `TILLBOOK_GOLDEN=write` makes missing cases and rewrites
every expectation; read the difference before committing it.
"""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from tests.connectors.conftest import account, normalized
from tests.connectors.test_sample_shops import fetched_refunds, parts_of

from ingest.channels import BY_NAME
from ingest.parts import Part, PartKind, Source
from sandbox.shops.life import ShopLife
from sandbox.shops.scenarios import STORIES
from sandbox.shops.shop import Kind

FOLDER = Path(__file__).parent / "cases"
WRITES = os.environ.get("TILLBOOK_GOLDEN") == "write"
SHOPS = {"shopify": "us", "woocommerce": "ca", "custom": "eu"}
OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
CASES = [(kind, story.name) for kind in get_args(Kind) for story in STORIES if kind in story.kinds]


def make_case(kind: Kind, story: str) -> dict[str, Any]:
    """All parts of one order of a story, as they would be stored at its end."""
    life = ShopLife(21, kind, SHOPS[kind], date(2026, 3, 1), scenarios=[story])
    held: dict[tuple[str, str, str], Part] = {}
    for snapshot in life.snapshots(1):
        arrived = [part for event in snapshot.events for part in parts_of(event)]
        if kind == "woocommerce":
            arrived += fetched_refunds(snapshot)
        held |= {part.key: part for part in arrived}
    return {
        "zone": life.shop.timezone,
        "parts": [
            {
                "kind": part.kind.value,
                "order_id": part.order_id,
                "part_id": part.part_id,
                "version": part.version.isoformat(),
                "rank": part.rank,
                "source": part.source.value,
                "body": orjson.loads(part.raw),
            }
            for part in held.values()
        ],
    }


def read_part(row: dict[str, Any]) -> Part:
    return Part(
        PartKind(row["kind"]),
        row["order_id"],
        orjson.dumps(row["body"]),
        datetime.fromisoformat(row["version"]),
        row["part_id"],
        row["rank"],
        Source(row["source"]),
    )


@pytest.mark.parametrize(("kind", "story"), CASES)
def test_a_sample_order_normalises_to_its_file(kind: Kind, story: str) -> None:
    path = FOLDER / kind / f"{story}.json"
    expected_path = path.with_suffix(".expected.json")
    if WRITES and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(make_case(kind, story), option=OPTIONS))
    case = orjson.loads(path.read_bytes())
    order = normalized(BY_NAME[kind], [read_part(row) for row in case["parts"]], account(case["zone"]))
    written = orjson.dumps(orjson.loads(order.model_dump_json(exclude_defaults=True)), option=OPTIONS)
    if WRITES:
        expected_path.write_bytes(written)
    assert written.decode() == expected_path.read_text()
