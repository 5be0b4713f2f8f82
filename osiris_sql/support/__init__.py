"""Tools without opinions about our domain."""
