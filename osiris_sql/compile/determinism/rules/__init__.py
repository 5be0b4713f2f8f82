"""One file for each class of construct: `check` says what it finds in a query, and how to mend it."""
