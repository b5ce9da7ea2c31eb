"""The rules of each entity: what is required, what the server fills in, what it does to the books."""
