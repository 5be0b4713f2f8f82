"""A static site from the artifacts alone."""
