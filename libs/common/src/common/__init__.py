"""What the tillbook services share: contracts, topology, runtime, settings, telemetry."""
