"""What the REST API answers with: shapes that frontends generate their clients from."""
