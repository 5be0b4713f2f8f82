"""Where a plan runs: one file a launcher."""
