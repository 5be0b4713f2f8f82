"""One file a command: its function `command`, its `PANEL` and `PLACE` in the help, its `EXAMPLES`."""
