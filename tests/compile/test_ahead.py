"""Models compiled ahead in other processes: the same bytes as in one, whatever becomes of the processes."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from compile.films import model, project, schema
from compile.test_cache import MACROS, TEXTS

from osiris_sql.compile import ahead, compile_project
from osiris_sql.compile.ahead import Ahead, child
from osiris_sql.compile.ahead.guesses import guess_needs, in_order
from osiris_sql.compile.ahead.messages import Answer
from osiris_sql.compile.ahead.process import Process
from osiris_sql.compile.ahead.ready import Ready
from osiris_sql.support import wire
from osiris_sql.types.project import Project

ENVIRON = {"CITY": "Brno"}


BROKEN = {text for text in TEXTS if "enabled=false" in text or "missing" in text or "selec " in text}


def many_models(seed: int, count: int = 60) -> Project:
    """Return models of every kind, most of which read one that is not broken; two read each other."""
    chance = random.Random(seed)
    models, whole = [], ["movies"]
    for number in range(count):
        above, text = chance.choice(whole[-9:]), chance.choice(TEXTS)
        relation = "source('cinema', 'movies')" if above == "movies" else f"ref('{above}')"
        is_plain = "{{" not in text and above != "movies" and chance.random() < 0.5
        up = above if is_plain else f"{{{{ {relation} }}}}"
        models.append(model(f"m{number}", text.format(up=up, relation=relation)))
        if text not in BROKEN or number % 20 == 19:
            whole.append(f"m{number}")
    models += [model("here", "select * from there"), model("there", "select * from here")]
    sources = {"source:cinema.movies": schema({"id": "BIGINT", "title": "VARCHAR"})}
    sources["source:cinema.directors"] = schema({"id": "BIGINT"})
    return project(tuple(models), macros={"own": MACROS[0]}, schemas=sources, vars={})


class Watched(Ahead):
    """Waits until its processes are ready, as it would not have to in a project that takes seconds."""

    started: list[Process]
    after_start: Callable[[Process], None]
    taken: int

    def _start(self) -> None:
        super()._start()
        Watched.started = [*self._processes]
        while not all(process.is_ready for process in self._processes):
            self._hear()
        for process in self._processes[:1]:
            Watched.after_start(process)

    def take(self, node: str) -> Answer | None:
        found = super().take(node)
        Watched.taken += found is not None
        return found


@contextmanager
def watching() -> Iterator[type[Watched]]:
    Watched.started, Watched.taken, Watched.after_start = [], 0, lambda _process: None
    with (
        patch("osiris_sql.compile.ahead.Ahead", Watched),
        patch.multiple(ahead, LEAST=10, LEAST_AT_ONCE=10, NEW_AT_FIRST=2, _processors=lambda: 2),
    ):
        yield Watched
    for process in Watched.started:
        with pytest.raises(ProcessLookupError):  # none is left behind
            os.kill(process._child.pid, 0)


@pytest.fixture
def watched() -> Iterator[type[Watched]]:
    """Processes with an interpreter of their own: here other tests' threads may run."""
    with watching() as found, patch.object(child, "_is_alone", lambda: False):
        yield found


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_models_compiled_ahead_are_those_of_one_process(
    seed: int, watched: type[Watched], tmp_path: Path
) -> None:
    made = many_models(seed)
    together = compile_project(made, environ=ENVIRON, cache=tmp_path)
    assert len(watched.started) == 2
    assert watched.taken > 10
    again = compile_project(many_models(seed), environ=ENVIRON, cache=tmp_path)
    with patch.object(ahead, "LEAST", 10_000):
        alone = compile_project(made, environ=ENVIRON)
    assert wire.to_json(together) == wire.to_json(alone) == wire.to_json(again)


def test_processes_start_too_where_most_is_new_after_all(watched: type[Watched], tmp_path: Path) -> None:
    made = many_models(1)
    with patch.object(ahead, "LEAST", 10_000):
        compile_project(made, environ=ENVIRON, cache=tmp_path)
        edited = replace(made, name="renamed")
        alone = compile_project(edited, environ=ENVIRON)
    assert not watched.started
    together = compile_project(edited, environ=ENVIRON, cache=tmp_path)
    assert len(watched.started) == 2
    assert watched.taken > 10
    assert wire.to_json(together) == wire.to_json(alone)


@pytest.mark.parametrize("ends", ["one", "all"])
def test_a_process_that_ends_leaves_its_models_to_the_others(ends: str, watched: type[Watched]) -> None:
    def end(process: Process) -> None:
        for one in watched.started if ends == "all" else [process]:
            one._child.kill()

    watched.after_start = staticmethod(end)
    made = many_models(1)
    together = compile_project(made, environ=ENVIRON)
    assert watched.taken > 10 or ends == "all"
    with patch.object(ahead, "LEAST", 10_000):
        assert wire.to_json(together) == wire.to_json(compile_project(made, environ=ENVIRON))


def test_an_interrupt_ends_the_processes(watched: type[Watched]) -> None:
    def interrupt(_process: Process) -> None:
        raise KeyboardInterrupt

    watched.after_start = staticmethod(interrupt)
    with pytest.raises(KeyboardInterrupt):
        compile_project(many_models(4), environ=ENVIRON)
    assert len(watched.started) == 2


def settled_files(pid: int) -> set[str]:
    """Return what a process has open; it may read a module just now, but not for half a minute."""
    for _ in range(300):
        with suppress(FileNotFoundError):  # closed while we look
            files = {file.readlink().name for file in Path(f"/proc/{pid}/fd").iterdir()}
            if len(files) <= 3:
                break
        time.sleep(0.1)
    return files


COPIED = """
from compile.test_ahead import *

made = many_models(4)
with open("held", "w"), watching() as watched:
    def look(process):
        assert all(isinstance(one._child, child.Forked) for one in watched.started)
        files = settled_files(process._child.pid)
        assert len(files) == 3 and "held" not in files, f"a pipe each way, and nothing: {files}"
        assert os.getpgid(process._child.pid) != os.getpgid(0), "Ctrl-C reaches us alone"
        ENDS

    watched.after_start = staticmethod(look)
    together = compile_project(made, environ=ENVIRON)
    assert watched.taken > 10 or "kill" in "ENDS"
with patch.object(ahead, "LEAST", 10_000):
    assert wire.to_json(together) == wire.to_json(compile_project(made, environ=ENVIRON))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each process has an interpreter of its own")
@pytest.mark.parametrize("ends", ["pass", "[one._child.kill() for one in watched.started]"])
def test_who_has_no_threads_is_copied(ends: str, tmp_path: Path) -> None:
    """In an interpreter of its own, which has none. Nothing of ours is open in a copy, but for its pipes."""
    command = [sys.executable, "-W", "error", "-c", COPIED.replace("ENDS", ends)]
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    subprocess.run(command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})


def test_without_a_list_of_threads_nothing_is_copied(tmp_path: Path) -> None:
    with patch.object(child, "_THREADS", tmp_path / "none"):
        assert not child._is_alone()


def test_a_secret_reaches_no_command_line(watched: type[Watched]) -> None:
    commands: list[object] = []
    watched.after_start = staticmethod(lambda process: commands.append(process._child.args))
    compile_project(many_models(5), environ={"CITY": "hunter2"})
    assert commands
    assert "hunter2" not in str(commands)


def test_what_is_remembered_starts_no_process(watched: type[Watched], tmp_path: Path) -> None:
    made = many_models(6)
    with patch.object(ahead, "LEAST", 10_000):
        compile_project(made, environ=ENVIRON, cache=tmp_path)
    edited = replace(made, models=(*made.models, model("one_more", "select 1 as one")))
    with patch.object(ahead, "NEW_AT_FIRST", 20):
        compile_project(edited, environ=ENVIRON, cache=tmp_path)
    assert not watched.started


def test_few_models_start_no_process(watched: type[Watched]) -> None:
    with patch.object(ahead, "LEAST", 200):
        compile_project(many_models(7), environ=ENVIRON)
    assert not watched.started


def test_one_processor_starts_no_process(watched: type[Watched]) -> None:
    with patch.object(ahead, "_processors", lambda: 1):
        compile_project(many_models(8), environ=ENVIRON)
    assert not watched.started


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("select * from {{ ref('a') }} join {{ ref(\"p\", 'b') }}", {"a", "b"}),
        ("select * from a left join B on true", {"a", "b"}),
        ("with a as (select * from b) select * from a", {"b"}),
        ('WITH "A" AS NOT MATERIALIZED (SELECT * FROM b) SELECT * FROM "A"', {"b"}),
        ("with a as (select * from {{ ref('a') }}) select * from a", {"a"}),
        ("select * from nowhere", set()),
    ],
)
def test_needs_are_guessed_from_the_text(text: str, needs: set[str]) -> None:
    models = [model(name, "select 1") for name in "ab"]
    assert guess_needs([*models, model("c", text)])["model:c"] == {f"model:{name}" for name in needs}


def test_the_order_is_that_of_a_pass_which_goes_depth_first() -> None:
    needs = {"a": {"d", "c"}, "b": set(), "c": {"d"}, "d": set(), "e": {"a"}}
    assert in_order(["a", "b", "e"], needs) == ["d", "c", "a", "b", "e"]
    assert in_order(["c"], needs) == ["d", "c"]
    assert in_order(["x", "y"], {"x": {"y"}, "y": {"x"}}) == ["y", "x"], "a circle is cut somewhere"


def test_a_model_is_ready_once_its_needs_are_settled() -> None:
    ready = Ready(["d", "c", "a", "b"], {"a": {"c", "d"}, "b": set(), "c": {"d"}, "d": set()})
    assert [ready.pop(), ready.pop(), ready.pop()] == ["d", "b", None]
    ready.settle("d")
    assert [ready.pop(), ready.pop()] == ["c", None]
    ready.wait("c", "b")
    ready.settle("b")
    assert ready.pop() == "c"
    ready.fail("c")
    assert ready.pop() is None
    assert ready.settled >= {"a", "c"}, "who reads what fails will not be known either"
