"""Nouns: frozen dataclasses that need nothing but the standard library."""
