"""`python -m mapper` serves; `python -m mapper migrate` migrates the schema."""

import sys

from common.application import serve
from common.migrations import upgrade
from mapper.main import create
from mapper.settings import MapperSettings


def main() -> int:
    """Returns the exit status."""
    settings = MapperSettings()
    if sys.argv[1:] == ["migrate"]:
        upgrade("mapper", settings.database_url)
        return 0
    if sys.argv[1:]:
        print("usage: python -m mapper [migrate]", file=sys.stderr)  # noqa: T201
        return 2
    serve(create(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
