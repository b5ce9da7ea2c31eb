"""Stand-ins for the outside world, sample shops, private infrastructure, the demo."""
