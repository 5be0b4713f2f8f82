"""From a Project to a Manifest: pure and offline, one pass a file."""
