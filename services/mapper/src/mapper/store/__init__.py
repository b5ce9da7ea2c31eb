"""Every SQL statement of the mapper, one module per kind of thing it keeps."""
