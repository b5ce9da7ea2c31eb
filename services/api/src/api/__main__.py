"""`python -m api` serves, `python -m api migrate` migrates."""

import sys

from api.main import run
from api.settings import ApiSettings
from common.migrations import upgrade


def main(arguments: list[str]) -> int:
    """Exit status for the given arguments."""
    match arguments:
        case []:
            run()
        case ["migrate"]:
            upgrade("api", ApiSettings().database_url)
        case _:
            sys.stderr.write("usage: python -m api [migrate]\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
