"""The public REST API: settings, tasks, overview, orders, dead letters."""
