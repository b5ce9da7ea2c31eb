"""`python -m lint`: run every house rule over every file of the project. Exit status 1 where one is broken."""

import sys
from pathlib import Path

from lint.rules import RULES
from lint.source import project_files

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print the findings. Returns the exit status."""
    sources = list(project_files(ROOT))
    findings = sorted(finding for rule in RULES for source in sources for finding in rule(source))
    for finding in findings:
        print(finding)
    print(f"house rules: {len(RULES)} rules, {len(sources)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
