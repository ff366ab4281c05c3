"""`Resources` and the hard cut."""

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources, cut_off, idle_cores


def stubborn(seconds: float) -> None:
    """Work on, whatever exception comes along."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            sum(range(1000))


def test_the_start_of_a_thread_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupt would hit the new thread, and its parent would wait for ever."""
    began, ended, start = [], [], threading._start_new_thread  # type: ignore[attr-defined]

    def slow(*arguments: object) -> int:
        began.append(True)
        time.sleep(0.3)
        ended.append(True)
        return int(start(*arguments))

    def work() -> None:
        monkeypatch.setattr(threading, "_start_new_thread", slow)
        threading.Thread(target=time.sleep, args=(0,)).start()
        stubborn(20)

    with pytest.raises(OutOfTime):
        cut_off(0.1, "work", work)
    assert began
    assert ended == began


def test_a_cut_does_not_wait_for_the_garbage_collection_that_it_sets_off() -> None:
    """In a process of its own, which would hang: what is collected asks for the list of threads."""
    script = """
import gc, threading
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import cut_off

def work():
    while True:
        cycle = [threading.local()]
        cycle.append(cycle)

gc.set_threshold(100)
for _ in range(100):
    try:
        cut_off(0.02, "work", work)
    except OutOfTime:
        pass
assert gc.isenabled()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_code_that_swallows_exceptions_is_cut_off_all_the_same() -> None:
    started = time.monotonic()
    with pytest.raises(OutOfTime, match="a stubborn stage was cut off after 0.20 s"):
        cut_off(0.2, "a stubborn stage", lambda: stubborn(20))
    assert time.monotonic() - started < 10


def test_it_works_in_any_thread_and_leaves_none_behind() -> None:
    outcomes: list[str] = []

    def work() -> None:
        try:
            cut_off(0.1, "work", lambda: stubborn(20))
        except OutOfTime as error:
            outcomes.append(str(error))

    before = threading.active_count()
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert outcomes == ["work was cut off after 0.10 s"]
    assert threading.active_count() == before


class Lingering:
    """Its finaliser takes a while, and what is raised in it is lost, as Python does with all
    finalisers.
    """

    def __del__(self) -> None:
        stubborn(0.4)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seconds", [0.0, 20.0])
def test_a_cut_that_is_lost_in_a_finaliser_is_repeated_or_not_waited_for(seconds: float) -> None:
    def work() -> str:
        Lingering()
        stubborn(seconds)
        return "done"

    started = time.monotonic()
    if seconds:
        with pytest.raises(OutOfTime, match="work was cut off"):
            cut_off(0.1, "work", work)
    else:
        assert cut_off(0.1, "work", work) == "done"
    assert time.monotonic() - started < 5
    stubborn(1.5)  # nothing arrives later


def test_a_block_that_ends_in_time_is_never_interrupted() -> None:
    """The timer and the end of the block race here; whoever comes second must do nothing."""
    for _ in range(300):
        with contextlib.suppress(OutOfTime):
            cut_off(0.001, "race", lambda: stubborn(0.001))
        sum(range(100))
    stubborn(0.1)


def test_an_error_of_the_block_stays_that_error() -> None:
    with pytest.raises(ZeroDivisionError):
        cut_off(5, "work", lambda: 1 // 0)


def test_an_inner_cut_lets_the_outer_one_pass() -> None:
    def inner() -> None:
        with contextlib.suppress(OutOfTime):
            cut_off(20, "the inner work", lambda: stubborn(20))
        pytest.fail("the inner cut swallowed the outer one")

    with pytest.raises(OutOfTime, match="the outer work"):
        cut_off(0.1, "the outer work", inner)


def test_shares_shrink_with_what_is_left() -> None:
    resources = Resources(10.0, num_cpus=3)
    share = resources.share(0.5)
    assert share.seconds == pytest.approx(5, abs=0.1)
    assert share.num_cpus == 3
    assert Resources(-1.0).share(0.5).seconds == 0


def test_an_import_ends_before_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an import would leave modules that nobody can import again."""
    (tmp_path / "imported_slowly.py").write_text(
        "import time\nfor _ in range(40):\n    time.sleep(0.01)\ndone = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def work() -> None:
        import imported_slowly  # type: ignore[import-not-found]  # noqa: F401

        while True:
            time.sleep(0.001)

    with pytest.raises(OutOfTime):
        cut_off(0.1, "an import", work)
    assert sys.modules["imported_slowly"].done


def test_no_work_begins_without_time() -> None:
    begun = []
    with pytest.raises(OutOfTime, match="no time was left for a stage"):
        cut_off(-0.001, "a stage", lambda: begun.append(True))
    assert not begun


def test_busy_cores_are_not_counted() -> None:
    """Two programs that each keep a core busy leave at most the others."""
    import psutil

    cores = psutil.cpu_count()
    script = "import time\nend = time.time() + 20\nwhile time.time() < end: pass"
    spinning = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(cores)]
    try:
        time.sleep(0.3)
        assert idle_cores(cores) < max(cores, 2)
    finally:
        for program in spinning:
            program.kill()
            program.wait()
