"""The results store: whatever is done to it, nothing wrong is believed and the run ends with the right hashes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from segments_bench import Bench, hashes, out, packed, verdict_of

from xboot.errors import InputError, UsageError
from xboot.model import Script, Source, SourceKind
from xboot.package import write_payload
from xboot.segments.store import ResultsStore

CHAIN = {2: [1], 3: [2], 4: [1, 3]}


def nar_of(results: Path, number: int) -> Path:
    value = json.loads(verdict_of(results, number).read_text())["body"]["outputs"][0][3]
    return results / "nars" / value[:2] / f"{value}.nar"


def forged_nar(results: Path) -> None:
    nar = nar_of(results, 2)
    nar.chmod(0o644)
    nar.write_bytes(packed(b"forged"))


def one_bit(results: Path) -> None:
    nar = nar_of(results, 2)
    nar.chmod(0o644)
    data = bytearray(nar.read_bytes())
    data[100] ^= 1
    nar.write_bytes(data)


def cut_short(results: Path) -> None:
    os.truncate(nar_of(results, 2), 50)


def gone(results: Path) -> None:
    nar_of(results, 2).unlink()


def a_link_to_another(results: Path) -> None:
    nar, other = nar_of(results, 2), nar_of(results, 1)
    nar.unlink()
    nar.symlink_to(other)


def a_link_to_itself_elsewhere(results: Path) -> None:
    nar = nar_of(results, 2)
    nar.rename(results.parent / "elsewhere.nar")
    nar.symlink_to(results.parent / "elsewhere.nar")


def a_pipe(results: Path) -> None:
    nar = nar_of(results, 2)
    nar.unlink()
    os.mkfifo(nar)


def a_folder(results: Path) -> None:
    nar = nar_of(results, 2)
    nar.unlink()
    nar.mkdir()


def forged_verdict(results: Path) -> None:
    """Another hash, with the NAR for it: all that the store has is consistent."""
    import hashlib

    data = packed(b"forged")
    value = hashlib.sha256(data).hexdigest()
    (results / "nars" / value[:2]).mkdir(exist_ok=True)
    (results / "nars" / value[:2] / f"{value}.nar").write_bytes(data)
    file = verdict_of(results, 2)
    told = json.loads(file.read_text())
    told["body"]["outputs"][0][3:5] = [value, len(data)]
    file.write_text(json.dumps(told))


def verdict_of_another_key(results: Path) -> None:
    forged_verdict(results)
    file = verdict_of(results, 2)
    body = json.loads(file.read_text())["body"]
    with ResultsStore(results, results.parent / "another.key") as store:
        store.put_verdict(file.parent.name, file.stem, body)


def exchanged_verdicts(results: Path) -> None:
    one, two = verdict_of(results, 1), verdict_of(results, 2)
    text = one.read_text()
    one.write_text(two.read_text())
    two.write_text(text)


def linked_verdict(results: Path) -> None:
    two = verdict_of(results, 2)
    two.rename(results.parent / "moved.json")
    two.symlink_to(results.parent / "moved.json")


def no_json(results: Path) -> None:
    verdict_of(results, 2).write_bytes(b'{"body": {"' + b"\xff" * 9)


def nested(results: Path) -> None:
    verdict_of(results, 2).write_text("[" * 100_000)


def a_pipe_for_a_verdict(results: Path) -> None:
    verdict = verdict_of(results, 2)
    verdict.unlink()
    os.mkfifo(verdict)


ATTACKS = [
    forged_nar, one_bit, cut_short, gone, a_link_to_another, a_link_to_itself_elsewhere, a_pipe, a_folder, forged_verdict,
    verdict_of_another_key, exchanged_verdicts, linked_verdict, no_json, nested, a_pipe_for_a_verdict,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_was_changed_is_made_again(bench: Bench, results: Path, attack: Callable[[Path], None]) -> None:
    script = bench.plan(CHAIN, 4)
    right = hashes(bench.run(script))
    attack(results)
    again = bench.run(script)
    assert hashes(again) == right and again.verdict.ok
    assert "s2" in bench.booted and "s3" not in bench.booted
    assert hashes(bench.run(script)) == right and not bench.booted  # it is mended


def test_a_nar_that_changes_after_it_was_checked_is_not_packed(bench: Bench, results: Path) -> None:
    """Between the look and the packing: the payload hashes what it packs, and follows no link to a device."""
    script = bench.plan(CHAIN, 4)
    bench.run(script)
    nar = nar_of(results, 2)
    built = Source(out(2), SourceKind.BUILT, nar, nar.stem, nar.stat().st_size)
    part = replace(script, sources=[built])
    write_payload(part, bench.folder / "payload")
    forged_nar(results)
    with pytest.raises(InputError, match="when it was verified"):
        write_payload(part, bench.folder / "payload")
    nar.unlink()
    os.mkfifo(nar)
    with pytest.raises(InputError, match="not a regular file"):
        write_payload(part, bench.folder / "payload")


@pytest.mark.parametrize("name", ["nars", "verdicts", "runs", "tmp"])
def test_a_link_in_the_place_of_a_folder_is_refused(results: Path, name: str, tmp_path: Path) -> None:
    results.mkdir()
    (results / name).symlink_to(tmp_path)
    with pytest.raises(InputError, match="not a folder of the results store"):
        ResultsStore()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ResultsStore().close()
    key = tmp_path / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(UsageError, match="others can read"):
        ResultsStore()
    key.chmod(0o600)
    key.write_bytes(b"short")
    with pytest.raises(UsageError, match="has 32"):
        ResultsStore()


def test_threads_that_make_the_key_at_once_have_one(tmp_path: Path) -> None:
    stores: list[ResultsStore] = []
    threads = [threading.Thread(target=lambda: stores.append(ResultsStore())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stores[0].put_verdict("a" * 64, "b" * 64, {"x": 1})
    assert all(store.verdict("a" * 64, "b" * 64) for store in stores)


def test_two_runs_at_once_boot_each_step_once(bench: Bench) -> None:
    """The second waits for what the first has begun, and takes it."""
    script = bench.plan(CHAIN, 4)
    other = Bench(bench.folder)
    begun, go = threading.Event(), threading.Event()

    def first(script: Script) -> None:
        begun.set()
        assert go.wait(30)

    bench.meanwhile = first
    found: list[dict[str, str]] = []
    one = threading.Thread(target=lambda: found.append(hashes(bench.run(script))))
    one.start()
    assert begun.wait(30)
    two = threading.Thread(target=lambda: found.append(hashes(other.run(script))))
    two.start()
    go.set()
    one.join(60)
    two.join(60)
    assert len(found) == 2 and found[0] == found[1]
    assert sorted(bench.booted + other.booted) == ["s1", "s2", "s3", "s4"]


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import time
from segments_bench import Bench, hashes
bench = Bench(Path(sys.argv[2]), meanwhile=lambda script: (print("boot", flush=True), time.sleep(0.02)))
bench.folder.mkdir(exist_ok=True)
print("done", *hashes(bench.run(bench.plan({n: [n - 1] for n in range(2, 9)}, 8), jobs=int(sys.argv[3]))).values(), flush=True)
"""


def process(folder: Path, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(folder), str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, results: Path, jobs: int) -> None:
    """kill -9 after a number of boots that is drawn, and a while that is drawn; at most the running steps are lost."""
    draw = random.Random(20)
    boots = kills = 0
    last = ""
    for _ in range(30):
        one = process(tmp_path / "work", jobs)
        assert one.stdout is not None
        wanted = draw.randrange(1, 4)
        seen = 0
        for line in one.stdout:
            last = line
            seen += line == "boot\n"
            if seen == wanted:
                time.sleep(draw.random() * 0.05)
                one.kill()
                break
        boots += seen
        one.communicate()
        kills += one.returncode == -signal.SIGKILL
        if last.startswith("done"):
            break
    assert last.startswith("done") and kills > 1
    assert boots <= 8 + kills * jobs
    fresh = Bench(tmp_path / "work")
    (results).rename(tmp_path / "old")
    assert last.split()[1:] == list(hashes(fresh.run(fresh.plan({n: [n - 1] for n in range(2, 9)}, 8))).values())


def test_what_killed_runs_leave_is_swept(bench: Bench, results: Path) -> None:
    left = results / "tmp" / "run-dead"
    left.mkdir(parents=True)
    (left / "out").write_text("x")
    (results / "tmp" / "run-dead.lock").touch()
    bench.run(bench.plan(CHAIN, 4))
    assert list((results / "tmp").iterdir()) == []


def test_runs_are_listed(bench: Bench) -> None:
    bench.guest.fails.add(out(3))
    bench.run(bench.plan(CHAIN, 4))
    with ResultsStore() as store:
        ((_, body, going),) = store.runs()
        assert (body["done"], body["segments"], going) == (2, 4, False)
        (store.root / "runs" / "strange.json").write_text('{"done": "\\u001b"}')
    done = subprocess.run([sys.executable, "-m", "xboot", "runs"], capture_output=True, text=True, check=True, env=os.environ)
    assert "unfinished" in done.stdout and "2/4" in done.stdout and "\x1b" not in done.stdout
    bench.guest.fails.clear()
    bench.run(bench.plan(CHAIN, 4))
    told = subprocess.run([sys.executable, "-m", "xboot", "runs", "--json"], capture_output=True, text=True, check=True, env=os.environ)
    (run,) = json.loads(told.stdout)
    assert (run["state"], run["done"]) == ("done", 4)


def test_pruning(bench: Bench, results: Path) -> None:
    script = bench.plan(CHAIN, 4)
    bench.run(script)
    old = nar_of(results, 1)
    os.utime(old, (1, 1))
    with ResultsStore() as store, ResultsStore() as other:
        with pytest.raises(UsageError, match="another xboot uses the results"):
            store.prune(0)
        other.close()
        assert store.prune(3600).removed == 1
    assert not old.exists()
    bench.run(script)
    assert bench.booted == ["s1"]
    with ResultsStore() as store:
        store.prune(float("inf"), 0)
    assert not list(results.rglob("*.nar")) and not list(results.rglob("*.json"))
    bench.run(script)
    assert len(bench.booted) == 4
