"""House rules: what ruff, mypy and import-linter can't know. One rule a file in `rules/`."""
