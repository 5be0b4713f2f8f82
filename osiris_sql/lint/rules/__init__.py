"""One lint rule a file; its docstring is its page and its own test."""
