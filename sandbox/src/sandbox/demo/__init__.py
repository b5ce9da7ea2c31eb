"""The main job, end to end: two shops, two ledgers, hundreds of webhooks, a polling run, and a proof to the cent."""
