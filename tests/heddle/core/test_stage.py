"""A stage's program: all or nothing, and nothing edited unseen."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
sys.path.insert(0, "{root}")
from heddle.core.program import run_stage

run_stage("greeting", "greeting.stage")
"""
STAGE = '''
import pathlib, time
from heddle.core.stage import StageError

if pathlib.Path("starting").exists():
    print("importing", flush=True)
    time.sleep(0.5)


def greeting(stage):
    """Greet."""
    words = pathlib.Path("words.txt").read_text()
    print("[greeting] read", flush=True)
    while pathlib.Path("wait").exists():
        time.sleep(0.05)
    if "bad" in words:
        raise StageError("words.txt, row 1: 'bad' is not polite; write another word")
    if "full" in words:
        pathlib.Path("/dev/full").write_text(words)
    if "bug" in words:
        raise KeyError(words)
    if "lost" in words:
        pathlib.Path("data/lists/b.txt").read_text()
    (stage.output / "greeting.txt").write_text(words)
    return {"letters": len(words)}
'''
DVC = """
stages:
  greeting:
    cmd: python -m greeting
    deps: [greeting, words.txt, data/lists]
    params: [params.yaml: [seed], 'scales/${scale}.yaml': [greeting]]
    outs: [data/greeting]
"""


UNSHARE = ["unshare", "-pf", "--mount-proc", "true"]
CAN_UNSHARE = (
    bool(shutil.which("unshare")) and subprocess.run(UNSHARE, capture_output=True, check=False).returncode == 0
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data/lists").mkdir(parents=True)
    (tmp_path / "scales").mkdir()
    (tmp_path / "greeting").mkdir()
    for name, text in {
        "greeting/__main__.py": PROGRAM.format(root=ROOT),
        "greeting/stage.py": STAGE,
        "dvc.yaml": DVC,
        "params.yaml": "scale: small\nseed: 1\n",
        "scales/small.yaml": "greeting: {loud: 1}\n",
        "words.txt": "hello\n",
        "data/lists/a.txt": "a\n",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def _start(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "greeting"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_output_appears_whole(project):
    _, err = _start(project).communicate(timeout=600)
    assert err == ""
    assert (project / "data/greeting/greeting.txt").read_text() == "hello\n"
    assert (project / "data/greeting/metrics.json").read_text() == '{\n  "letters": 6\n}\n'
    assert sorted(path.name for path in (project / "data").iterdir()) == ["greeting", "lists"]


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("words.txt", "good bye\n", "words.txt"),
        ("greeting/stage.py", "# edited\n", "greeting/stage.py"),
        ("greeting/helper.py", "# new\n", "greeting/helper.py"),
        ("params.yaml", "scale: small\nseed: 2\n", "params.yaml: seed"),
        ("scales/small.yaml", "greeting: {loud: 2}\n", "scales/small.yaml: greeting"),
        ("data/lists/a.txt", "other\n", "data/lists"),
        ("data/lists/b.txt", "new\n", "data/lists"),
    ],
)
def test_edit_during_run_fails_stage_and_discards_output(project, file, text, named):
    (project / "wait").touch()
    process = _start(project)
    assert process.stdout.readline() == "[greeting] read\n"
    (project / file).write_text(text)
    (project / "wait").unlink()
    _, err = process.communicate(timeout=600)
    assert process.returncode == 1
    assert f"source changed during the run: {named}. Output discarded; run again" in err
    assert not (project / "data/greeting").exists()
    assert not list((project / "data").glob(".greeting*"))


def test_an_edit_while_it_starts_counts_too(project):
    (project / "starting").touch()
    process = _start(project)
    assert process.stdout.readline() == "importing\n"
    (project / "words.txt").write_text("good bye\n")
    _, err = process.communicate(timeout=600)
    assert "source changed during the run: words.txt" in err


def test_an_edit_elsewhere_in_the_same_file_is_no_drift(project):
    (project / "wait").touch()
    process = _start(project)
    process.stdout.readline()
    (project / "params.yaml").write_text("scale: small\nseed: 1\nschedules: {ingest: never}\n")
    (project / "wait").unlink()
    process.communicate(timeout=600)
    assert process.returncode == 0


def test_bad_input_no_traceback_and_the_old_output_stays(project):
    _start(project).communicate(timeout=600)
    (project / "words.txt").write_text("bad\n")
    _, err = _start(project).communicate(timeout=600)
    assert err == "greeting: words.txt, row 1: 'bad' is not polite; write another word\n"
    assert (project / "data/greeting/greeting.txt").read_text() == "hello\n"
    assert not list((project / "data").glob(".greeting*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("full", "no space left on this disk; free some space"),
        ("lost", "greeting: data/lists/b.txt: no such file; restore it with `dvc checkout --force data/lists`"),
    ],
)
def test_error_of_the_machine_is_one_line_with_remedy(project, words, message):
    (project / "words.txt").write_text(words)
    process = _start(project)
    (line,) = process.communicate(timeout=600)[1].splitlines()
    assert message in line
    assert process.returncode == 1
    assert not (project / "data/greeting").exists()


def test_bug_keeps_its_traceback_and_leaves_no_output(project):
    (project / "words.txt").write_text("bug")
    _, err = _start(project).communicate(timeout=600)
    assert "Traceback" in err
    assert err.endswith("KeyError: 'bug'\n")
    assert sorted(path.name for path in (project / "data").iterdir()) == ["lists"]


def test_leftovers_of_killed_runs_removed_live_runs_kept(project):
    (project / "data/.greeting.999999999").mkdir()
    (project / "wait").touch()
    living = _start(project)
    living.stdout.readline()
    (project / "wait").unlink()
    _, err = _start(project).communicate(timeout=600)
    living.communicate(timeout=600)
    assert err == ""
    assert living.returncode == 0
    assert not (project / "data/.greeting.999999999").exists()


def test_other_library_versions_are_refused_before_the_stage_runs(project):
    (project / "greeting/libraries.txt").write_text("numpy==0.1\n")
    _, err = _start(project).communicate(timeout=600)
    assert err.startswith("greeting: greeting/libraries.txt: numpy 0.1, installed: ")
    assert not (project / "data/greeting").exists()


def test_an_undeclared_folder_or_section_is_refused(project):
    program = (project / "greeting/stage.py").read_text()
    (project / "data/secret").mkdir()
    (project / "greeting/stage.py").write_text(program.replace("words = ", 'stage.input("secret")\n    words = '))
    _, err = _start(project).communicate(timeout=600)
    assert "dvc.yaml: stage greeting reads data/secret; add it to its deps" in err


def test_help_says_what_it_does_and_how_to_run_it(project):
    ended = subprocess.run(
        [sys.executable, "-m", "greeting", "--help"], cwd=project, capture_output=True, text=True, check=False
    )
    assert "Greet." in ended.stderr
    assert "usage: dvc repro greeting" in ended.stderr


REAPER = """
import ctypes, os, signal, subprocess, sys

ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER, as `systemd --user` and `tini -s` do
parent = subprocess.Popen(["bash", "-c", f"{sys.executable} -m greeting & echo $!; wait"])
sys.stdin.readline()
parent.kill()
parent.wait()
print("killed", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
@pytest.mark.parametrize("subreaper", [False, True])
@pytest.mark.parametrize("moment", ["importing", "[greeting] read"])
def test_stage_dies_with_its_parent(project, moment, subreaper):
    (project / ("starting" if moment == "importing" else "wait")).touch()
    (project / "greeting/stage.py").write_text(STAGE.replace("time.sleep(0.5)", "time.sleep(600)"))
    command = (
        [sys.executable, "-c", REAPER] if subreaper else ["bash", "-c", f"{sys.executable} -m greeting & echo $!; wait"]
    )
    outer = subprocess.Popen(command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(outer.stdout.readline())
    assert outer.stdout.readline() == f"{moment}\n"
    if subreaper:
        outer.stdin.write("kill\n")
        outer.stdin.flush()
        assert outer.stdout.readline() == "killed\n"
    else:
        outer.kill()
        outer.wait()
    try:
        assert _ends(pid), "the stage outlived its parent"
    finally:
        outer.kill()
        outer.wait()
    assert not (project / "data/greeting").exists()


@pytest.mark.parametrize("shell", ["", "sh -c '{}; exit $?'"])
def test_orphan_discards_its_output(project, shell):
    """Where the system does not end it with its parent, a stage finds out before it replaces its output.

    DVC starts a stage through a shell, which stays its parent unless the stage takes its place.
    """
    without = "import ctypes, types\nctypes.CDLL = lambda name: types.SimpleNamespace(prctl=lambda *arguments: None)\n"
    program = PROGRAM.replace("\nrun_stage(", f"\n{without}run_stage(")
    (project / "greeting/__main__.py").write_text(program.format(root=ROOT))
    (project / "wait").touch()
    stage = f"{sys.executable} -m greeting 2> errors.txt"
    command = ["bash", "-c", f"{shell.format(stage) if shell else stage} & echo $!; wait"]
    environment = os.environ | {"DVC_STAGE": "greeting"}
    parent = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert parent.stdout.readline() == "[greeting] read\n"
    parent.kill()
    parent.wait()
    (project / "wait").unlink()
    assert _ends(pid)
    assert "the process that started this stage has ended" in (project / "errors.txt").read_text()
    assert not (project / "data/greeting").exists()


@pytest.mark.skipif(not CAN_UNSHARE, reason="`unshare -pf --mount-proc` is not possible here")
def test_stage_runs_below_process_1(project):
    """In a container, the command that starts the stage is process 1, which is no sign of an orphan."""
    command = ["unshare", "-pf", "--mount-proc", "bash", "-c", f"{sys.executable} -m greeting; exit $?"]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=600)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (project / "data/greeting/greeting.txt").read_text() == "hello\n"


def _ends(pid: int) -> bool:
    """Whether a process ends while a patient person looks on; one that nobody has buried yet has ended, too."""
    status = Path(f"/proc/{pid}/status")
    for _ in range(200):
        try:
            if "State:\tZ" in status.read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False
