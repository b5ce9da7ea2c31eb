"""Every statement of this service, one module per subject. Handlers, lanes and routes hold none."""
