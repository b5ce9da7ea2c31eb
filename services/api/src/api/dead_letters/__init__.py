"""Dead letters: collected from the parked queues of every service, kept sealed, and replayed by durable jobs."""
