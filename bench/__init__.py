"""What the product costs and how fast it is, always against a floor measured in the same run."""
