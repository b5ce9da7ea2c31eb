"""Every SQL statement of the service, one module per owner of tables."""
