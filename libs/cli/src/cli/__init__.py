"""The tillbook command: a client of the REST API."""
