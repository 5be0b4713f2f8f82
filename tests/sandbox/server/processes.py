"""Commands in a sandbox, with envd's habits: output nobody listens to is dropped, a full listener blocks."""

from __future__ import annotations

import base64
import os
import queue
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.server.jail import HOME, ROOTED, jailed

if TYPE_CHECKING:
    from sandbox.server.sandboxes import Sandbox

CHUNK = 32 * 1024
REMEMBERED = 30.0
Message = dict[str, Any]


class Listener:
    """One stream of a command's events: at most 64 wait in it."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Message] = queue.Queue(maxsize=64)
        self.left = threading.Event()

    def put(self, message: Message) -> None:
        """Wait for room, as long as somebody listens."""
        while not self.left.is_set():
            with suppress(queue.Full):
                self.waiting.put(message, timeout=0.05)
                return


class Process:
    """A command and those who listen to it."""

    def __init__(self, popen: subprocess.Popen[bytes], config: Message, tag: str | None) -> None:
        self.popen, self.config, self.tag = popen, config, tag
        self.listeners: list[Listener] = []
        self.lock = threading.Lock()
        self.end: Message | None = None
        self.ended_at = 0.0
        self.pid = popen.pid

    def listen(self) -> Listener:
        """Hear what comes from now on; of an ended command the end alone."""
        listener = Listener()
        with self.lock:
            if self.end:
                listener.put(self.end)
            self.listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Hear no more."""
        listener.left.set()
        with self.lock, suppress(ValueError):
            self.listeners.remove(listener)

    def follow(self) -> None:
        """Pump its output until it ends."""
        pumps = [
            threading.Thread(target=self._pump, args=(name, pipe), daemon=True)
            for name, pipe in (("stdout", self.popen.stdout), ("stderr", self.popen.stderr))
        ]
        for pump in pumps:
            pump.start()
        for pump in pumps:
            pump.join()
        code = self.popen.wait()
        if self.popen.stdin:
            with suppress(BrokenPipeError):  # what nobody read is lost with the process
                self.popen.stdin.close()
        with self.lock:
            self.end, self.ended_at = {"event": {"end": _ended(code)}}, time.monotonic()
            listeners = list(self.listeners)
        for listener in listeners:
            listener.put(self.end)

    def _pump(self, name: str, pipe: Any) -> None:
        with pipe:
            while data := pipe.read1(CHUNK):
                with self.lock:
                    listeners = list(self.listeners)
                for listener in listeners:
                    listener.put({"event": {"data": {name: base64.b64encode(data).decode()}}})


def _ended(code: int) -> Message:
    if code < 0:
        words = {signal.SIGKILL: "killed", signal.SIGTERM: "terminated", signal.SIGINT: "interrupt"}
        text = f"signal: {words.get(signal.Signals(-code), str(-code))}"
        return {"exitCode": -1, "status": text, "error": text}
    text = f"exit status {code}"
    return {"exited": True, "status": text, **({"exitCode": code, "error": text} if code else {})}


class Processes:
    """The commands of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._known: dict[int, Process] = {}

    def start(self, config: Message, *, stdin: bool, tag: str | None) -> Process:
        """Start a command; raises NotADirectoryError if its folder does not exist."""
        sandbox = self._sandbox
        folder = config.get("cwd") or HOME
        if not sandbox.outside(folder).is_dir():
            raise NotADirectoryError(f"cwd '{folder}' does not exist")
        home = HOME if ROOTED else str(sandbox.home)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "USER": "user",
            "LOGNAME": "user",
            "E2B_SANDBOX": "true",
            "E2B_SANDBOX_ID": sandbox.id,
            "E2B_TEMPLATE_ID": sandbox.template,
            **sandbox.environ,
            **config.get("envs", {}),
        }
        command = [config["cmd"], *config.get("args", [])]
        popen = subprocess.Popen(
            jailed(sandbox.home, sandbox.uid, folder, command),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            cwd=None if ROOTED else sandbox.outside(folder),
            start_new_session=True,
        )
        process = Process(popen, config, tag)
        self._known[process.pid] = process
        return process

    def find(self, pid: int) -> Process | None:
        """Return a command that runs, or that ended a moment ago."""
        process = self._known.get(pid)
        if process and process.end and time.monotonic() - process.ended_at > REMEMBERED:
            return None
        return process

    def running(self) -> list[Process]:
        """Return those that have not ended."""
        return [process for process in list(self._known.values()) if process.popen.poll() is None]

    def kill_all(self) -> None:
        """Kill each with its process group, as when the machine is gone."""
        for process in self.running():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def environments(self) -> bytes:
        """Return the environment variables of everything that runs, as the kernel shows them."""
        found = b""
        for process in self.running():
            for path in Path("/proc").glob("[0-9]*/environ"):
                with suppress(OSError):
                    if os.getsid(int(path.parts[2])) == process.pid:
                        found += path.read_bytes()
        return found
