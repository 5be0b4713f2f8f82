"""The REST channel: for those who have only URL and secret key."""
