"""A console that outlives its reader."""

from rich.console import Console


class PatientConsole(Console):
    """A console whose reader may go away, as `head` does: what is left to say then goes nowhere."""

    def on_broken_pipe(self) -> None:
        """Say no more; the command goes on and ends with its own exit code."""
        self.quiet = True
