"""Where rows are delivered: one file a `type:`."""
