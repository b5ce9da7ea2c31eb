"""Each house rule finds the accident it is there for, and lets pass what only looks like it."""

import tomllib
from pathlib import Path

import pytest

from lint.rules import (
    RULES,
    Rule,
    banned_words,
    broad_except,
    broker_in_one_place,
    environment_in_settings,
    no_float,
    pure_core,
    service_borders,
    size,
    tests_assert,
)
from lint.source import Source

ROOT = Path(__file__).parents[3]
MAPPING = "services/mapper/src/mapper/mapping/orders.py"
HANDLER = "services/mapper/src/mapper/handlers/order_normalized.py"
COMMON = "libs/common/src/common/http.py"
TEST = "tests/unit/mapper/test_orders.py"
SWALLOWED = "def f():\n    try:\n        g()\n    except Exception:\n        pass\n"

BROKEN: list[tuple[Rule, str, str]] = [
    (no_float.check, MAPPING, "total = 19.99\n"),
    (no_float.check, MAPPING, "def net(price: float) -> None: ...\n"),
    (no_float.check, "services/ledger-writer/src/ledger_writer/planning/plan.py", "x = float('1')\n"),
    (no_float.check, "libs/common/src/common/money.py", "HALF = 0.5\n"),
    (broker_in_one_place.check, HANDLER, "import aio_pika\n"),
    (broker_in_one_place.check, COMMON, "from aiormq.exceptions import AMQPError\n"),
    (broker_in_one_place.check, COMMON, "def f():\n    import aio_pika.abc\n"),
    (environment_in_settings.check, COMMON, "import os\nDEBUG = os.environ['DEBUG']\n"),
    (environment_in_settings.check, HANDLER, "import os\nDEBUG = os.getenv('DEBUG')\n"),
    (environment_in_settings.check, HANDLER, "from os import environ\n"),
    (service_borders.check, HANDLER, "from ingest.parts import Part\n"),
    (service_borders.check, HANDLER, "def f():\n    import ledger_writer\n"),
    (service_borders.check, HANDLER, "importlib.import_module('api.store')\n"),
    (service_borders.check, HANDLER, "import sandbox.shops\n"),
    (service_borders.check, COMMON, "from mapper import mapping\n"),
    (service_borders.check, "libs/cli/src/cli/main.py", "from common.money import Money\n"),
    (pure_core.check, MAPPING, "import httpx\n"),
    (pure_core.check, MAPPING, "from common.database import Pool\n"),
    (pure_core.check, MAPPING, "today = datetime.now(UTC)\n"),
    (pure_core.check, MAPPING, "async def f(): ...\n"),
    (pure_core.check, "services/mapper/src/mapper/rules/engine.py", "import time\n"),
    (pure_core.check, "services/ingest/src/ingest/totals.py", "from common.settings import ServiceSettings\n"),
    (pure_core.check, "services/ingest/src/ingest/uploads/payout_csv.py", "text = open(name)\n"),
    (pure_core.check, "services/ingest/src/ingest/channels/shopify/normalization.py", "import random\n"),
    (pure_core.check, "services/ingest/src/ingest/channels/custom/lines.py", "import httpx\n"),
    (size.check, COMMON, "x = 1\n" * 401),
    (size.check, TEST, "x = 1\n" * 601),
    (size.check, COMMON, "def f():\n" + "    x = 1\n" * 60),
    (banned_words.check, "docs/setup.md", "see /home" + "/somebody/project\n"),
    (banned_words.check, "Makefile", "cd /work" + "/main\n"),
    (banned_words.check, "requirements.txt", "--index-url something\n"),
    (banned_words.check, "requirements.txt", "x @ https://files." + "python" + "hosted.org/x.whl\n"),
    (broad_except.check, HANDLER, SWALLOWED),
    (broad_except.check, HANDLER, SWALLOWED.replace("Exception", "(OSError, BaseException)")),
    (broad_except.check, HANDLER, SWALLOWED.replace(" Exception", "")),
    (broad_except.check, next(iter(broad_except.ALLOWED))[0], "x = 1\n"),
    (tests_assert.check, TEST, "def test_it():\n    run()\n"),
    (tests_assert.check, TEST, "class TestIt:\n    async def test_it(self):\n        await run()\n"),
]

FINE: list[tuple[Rule, str, str]] = [
    (no_float.check, MAPPING, "total = Decimal('19.99')\nlines = 3\n"),
    (no_float.check, COMMON, "TIMEOUT_S = 2.5\n"),
    (broker_in_one_place.check, broker_in_one_place.HOME, "import aio_pika\n"),
    (broker_in_one_place.check, "bench/floor.py", "import aio_pika\n"),
    (environment_in_settings.check, "sandbox/src/sandbox/demo.py", "import os\nX = os.environ['X']\n"),
    (environment_in_settings.check, COMMON, "X = settings.environ\n"),
    (service_borders.check, HANDLER, "from common.messages import Order\nfrom mapper.mapping import map_order\n"),
    (service_borders.check, "tests/e2e/test_all.py", "import ingest, mapper\n"),
    (pure_core.check, MAPPING, "from decimal import Decimal\nfrom common.money import Money\n"),
    (pure_core.check, HANDLER, "import httpx\nnow = datetime.now(UTC)\n"),
    (pure_core.check, "services/ingest/src/ingest/channels/custom/client.py", "import httpx\n"),
    (pure_core.check, "services/ingest/src/ingest/accounts.py", "import time\n"),
    (size.check, COMMON, "x = 1\n" * 400),
    (size.check, TEST, "x = 1\n" * 600),
    (size.check, COMMON, "def f():\n" + "    x = 1\n" * 59),
    (banned_words.check, "docs/setup.md", "the /root element, the /work, libs/common/src\n"),
    (broad_except.check, HANDLER, SWALLOWED.replace("pass", "raise")),
    (broad_except.check, HANDLER, SWALLOWED.replace("Exception", "OSError")),
    (tests_assert.check, TEST, "def test_it():\n    assert run()\n"),
    (tests_assert.check, TEST, "def test_it():\n    with pytest.raises(ValueError):\n        run()\n"),
    (tests_assert.check, COMMON, "def test_it():\n    run()\n"),
]


def named(case: tuple[Rule, str, str]) -> str:
    """How a case is called in the test's output."""
    return f"{case[0].__module__.rsplit('.', 1)[1]}: {case[2][:30]!r}"


@pytest.mark.parametrize("case", BROKEN, ids=named)
def test_a_rule_finds_its_accident(case: tuple[Rule, str, str]) -> None:
    rule, path, text = case
    findings = list(rule(Source(path, text)))
    assert findings
    assert all(finding.path == path and finding.line >= 1 and finding.message for finding in findings)


@pytest.mark.parametrize("case", FINE, ids=named)
def test_a_rule_lets_pass_what_is_right(case: tuple[Rule, str, str]) -> None:
    rule, path, text = case
    assert list(rule(Source(path, text))) == []


def test_the_import_contract_covers_what_is_mutated_and_what_the_rule_calls_pure() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (contract,) = [each for each in tool["importlinter"]["contracts"] if each["name"].startswith("The pure core")]
    folders = {*tool["tillbook"]["mutation"]["sources"], *pure_core.PURE}
    modules = {folder.split("/src/")[1].removesuffix(".py").replace("/", ".") for folder in folders}
    for path in (ROOT / "services/ingest/src/ingest/channels").glob("*/*.py"):
        if path.stem not in pure_core.SHELL:
            modules.add(f"ingest.channels.*.{path.stem}")
    assert set(contract["source_modules"]) == modules


def test_every_rule_is_shown_to_fail_and_says_which_accident_it_prevents() -> None:
    assert {case[0] for case in BROKEN} == set(RULES)
    assert {case[0] for case in FINE} == set(RULES)
    for rule in RULES:
        module = __import__(rule.__module__, fromlist=["check"])
        assert "The accident:" in (module.__doc__ or "")
