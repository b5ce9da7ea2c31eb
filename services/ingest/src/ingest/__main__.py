"""`python -m ingest` serves; `python -m ingest migrate` brings the schema up to date."""

import sys

from common.migrations import upgrade
from ingest.main import main
from ingest.settings import IngestSettings

if sys.argv[1:] == ["migrate"]:
    upgrade("ingest", IngestSettings().database_url)
elif sys.argv[1:]:
    sys.exit("usage: python -m ingest [migrate]")
else:
    main()
