"""The command line's promises: exit codes, one JSON object, clean streams, nothing heavy for nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from tests.cli.calls import run
from viewer.cli import main as cli
from viewer.core.errors import JobFailed, Refused
from viewer.core.geometry import Geometry
from viewer.io.write import save_array

GRID = Geometry((2, 3, 4), (1, 2, 3), (3, 2, 1))
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 3


@pytest.fixture
def volume(tmp_path):
    save_array(tmp_path / "v.nrrd", VALUES, GRID)
    return tmp_path / "v.nrrd"


def strict(text: str) -> dict:
    return json.loads(text, parse_constant=lambda word: pytest.fail(word))


def test_info_says_what_is_known_and_null_for_the_rest(capsys, volume, tmp_path):
    Image.fromarray(np.full((3, 4), 7, np.uint8)).save(tmp_path / "p.png")
    code, out, err = run(capsys, "info", volume, tmp_path / "p.png", "--json")
    assert (code, err) == (0, "")
    grid, picture = strict(out)["series"]
    assert (grid["shape"], grid["spacing_mm"], grid["origin_mm"], grid["direction"]) == ([2, 3, 4], [3, 2, 1], [1, 2, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])
    assert (grid["kind"], grid["phases"], grid["colour"], grid["range"], grid["files"]) == ("volume", 1, False, None, 1)
    assert (picture["spacing_mm"], picture["origin_mm"], picture["direction"], picture["kind"]) == (None, None, None, "image")


def test_info_range_reads_the_voxels(capsys, volume, tmp_path):
    assert strict(run(capsys, "info", volume, "--range", "--json")[1])["series"][0]["range"] == [-3, 20]
    save_array(tmp_path / "nan.nrrd", np.full((2, 3, 4), np.nan, np.float32), GRID)
    assert strict(run(capsys, "info", tmp_path / "nan.nrrd", "--range", "--json")[1])["series"][0]["range"] is None


def test_info_explain_says_how_the_image_is_shown(capsys, volume):
    code, out, err = run(capsys, "info", volume, "--explain", "--json")
    (series,) = strict(out)["series"]
    texts = {note["topic"]: note["text"] for note in series["explanation"]}
    assert (code, err) == (0, "")
    assert "-3 to 20" in texts["values"]
    code, out, _err = run(capsys, "info", volume, "--explain")
    assert "    - " + texts["values"] in out.splitlines()
    assert "explanation" not in strict(run(capsys, "info", volume, "--json")[1])["series"][0]


@pytest.mark.parametrize("words", [["info", "no such file", "--json"], ["info", "--json"], ["info", "x", "--nonsense", "--json"]])
def test_bad_input_is_exit_2_a_sentence_and_still_one_object(capsys, words):
    code, out, err = run(capsys, *words)
    assert code == 2
    reply = strict(out)
    assert reply["series"] == []
    assert reply["refused"][0]["reason"]
    assert err.startswith("negatoscope: ")


def test_one_bad_file_does_not_spoil_the_rest(capsys, volume, tmp_path):
    (tmp_path / "bad.dcm").write_text("no")
    code, out, err = run(capsys, "info", tmp_path / "bad.dcm", volume, "--json")
    reply = strict(out)
    assert (code, len(reply["series"]), len(reply["refused"])) == (0, 1, 1)
    assert "bad.dcm" in err


def test_info_for_people_names_id_and_warnings(capsys, tmp_path):
    save_array(tmp_path / "v.nrrd", VALUES, Geometry((2, 3, 4), is_patient=False))
    code, out, _ = run(capsys, "info", tmp_path)
    assert code == 0
    assert "2 x 3 x 4" in out
    assert "file-" in out
    assert "! The file does not say" in out


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_convert_keeps_values_and_places(capsys, volume, tmp_path, ending):
    code, out, _ = run(capsys, "convert", volume, tmp_path / f"o{ending}")
    assert (code, out) == (0, "")
    image = sitk.ReadImage(str(tmp_path / f"o{ending}"))
    assert np.array_equal(sitk.GetArrayFromImage(image), VALUES)
    assert np.allclose(image.TransformIndexToPhysicalPoint((3, 2, 1)), (4, 6, 6))


def test_convert_never_replaces_unasked_and_leaves_nothing_half(capsys, volume, tmp_path):
    out = tmp_path / "o.nrrd"
    out.write_bytes(b"mine")
    assert run(capsys, "convert", volume, out)[0] == 2
    assert out.read_bytes() == b"mine"
    assert run(capsys, "convert", volume, out, "--force")[0] == 0
    for target in ("x.xyz", "no/folder/x.nrrd"):
        assert run(capsys, "convert", volume, tmp_path / target)[0] == 2
    (tmp_path / "bad.nii").write_bytes(b"x" * 400)
    assert run(capsys, "convert", tmp_path / "bad.nii", tmp_path / "y.nrrd")[0] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.nii", "o.nrrd", "v.nrrd"]


def test_convert_of_several_lists_the_ids_and_takes_one(capsys, volume, tmp_path):
    save_array(tmp_path / "w.mha", VALUES + 100, GRID)
    code, _, err = run(capsys, "convert", tmp_path, tmp_path / "o.nrrd")
    assert code == 2
    assert "--series" in err
    ids = [s["id"] for s in strict(run(capsys, "info", tmp_path, "--json")[1])["series"]]
    assert all(i in err for i in ids)
    assert run(capsys, "convert", tmp_path, tmp_path / "o.nrrd", "--series", ids[1])[0] == 0
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "o.nrrd"))), VALUES + 100)
    assert run(capsys, "convert", tmp_path / "v.nrrd", tmp_path / "p.nrrd", "--series", "1.2.3.no")[0] == 2


def test_convert_takes_one_phase_or_all(capsys, tmp_path):
    many = np.stack([VALUES, VALUES + 50])
    save_array(tmp_path / "t.nii", many, GRID)
    assert run(capsys, "convert", tmp_path / "t.nii", tmp_path / "a.nii", "--phase", 1)[0] == 0
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nii"))), many[1])
    assert run(capsys, "convert", tmp_path / "t.nii", tmp_path / "b.nrrd")[0] == 0
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "b.nrrd"))), many)
    for phase in (2, -1):
        code, _, err = run(capsys, "convert", tmp_path / "t.nii", tmp_path / "c.nii", "--phase", phase)
        assert code == 2
        assert "counted from 0" in err


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["render", "--window", "-600,1500"], ["render", "--window=-600,1500"]),
        (["--window=-600,1500"], ["--window=-600,1500"]),
        (["--phase", "-1", "-.5"], ["--phase=-1", "-.5"]),
        (["--json", "--window", "W400 C50"], ["--json", "--window", "W400 C50"]),
    ],
)
def test_a_value_may_start_with_a_minus(words, joined):
    assert cli.joined(words) == joined


@pytest.fixture
def verb(monkeypatch):
    """A verb whose run does what a test wants."""

    def register(action):
        module = types.ModuleType("viewer.cli.zz_test")
        module.JSON_KEY = "results"
        module.add_parser = lambda sub: sub.add_parser("zz").add_argument("--json", action="store_true")
        module.run = lambda _args: action()
        monkeypatch.setitem(sys.modules, "viewer.cli.zz_test", module)
        monkeypatch.setitem(cli.VERBS, "zz", ("viewer.cli.zz_test", "test"))

    return register


def raising(error):
    def action():
        raise error

    return action


def test_exit_codes_and_tracebacks(capsys, verb):
    verb(raising(Refused("a sentence")))
    assert run(capsys, "zz") == (2, "", "negatoscope: a sentence\n")
    code, out, _ = run(capsys, "zz", "--json")
    assert (code, strict(out)) == (2, {"results": [], "refused": [{"path": "", "reason": "a sentence"}]})
    verb(raising(ZeroDivisionError("oops\x1b")))
    code, out, err = run(capsys, "zz")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "Traceback" in run(capsys, "zz", "--debug")[2]
    verb(raising(JobFailed("a worker died", details="Traceback of the worker")))
    assert "worker" not in run(capsys, "zz")[2].replace("a worker died", "")
    assert "Traceback of the worker" in run(capsys, "zz", "--debug")[2]
    verb(raising(KeyboardInterrupt()))
    assert run(capsys, "zz")[0] == 130
    verb(raising(MemoryError()))
    assert run(capsys, "zz")[0] == 2
    verb(lambda: 0)
    assert run(capsys, "zz") == (0, "", "")


def test_paths_without_a_verb_are_for_the_window(capsys, monkeypatch, volume):
    seen = []
    module = types.ModuleType("viewer.cli.zz_open")
    module.add_parser = lambda sub: sub.add_parser("open").add_argument("paths", nargs="*")
    module.run = lambda args: seen.append(args.paths) or 0
    monkeypatch.setitem(sys.modules, "viewer.cli.zz_open", module)
    monkeypatch.setitem(cli.VERBS, "open", ("viewer.cli.zz_open", "test"))
    assert run(capsys)[0] == run(capsys, volume)[0] == run(capsys, "open", volume)[0] == 0
    assert seen == [[], [str(volume)], [str(volume)]]


def test_help_and_version_name_every_verb(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(verb in out for verb in ("info", "convert", "render", "operations", "plugins", "models", "apply", "classify", "run", "open"))
    assert run(capsys, "--version")[1].startswith("negatoscope ")


def test_info_of_plain_files_loads_nothing_heavy_and_starts_no_process(volume):
    code = (
        "import sys, subprocess, os\nfrom viewer.cli.main import main\n"
        "assert main(['info', sys.argv[1], '--range', '--json']) == 0\n"
        "heavy = {'PySide6', 'SimpleITK', 'skimage', 'scipy', 'onnxruntime', 'PIL', 'tifffile', 'nibabel'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert not open('/proc/self/task/%d/children' % os.getpid()).read().strip()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(volume)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_fault(volume):
    code = "import sys\nfrom viewer.cli.main import main\nsys.exit(main(['info', *[sys.argv[1]] * 1, '--json']))"
    process = subprocess.Popen([sys.executable, "-c", code, str(volume)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize(
    ("redirect", "code"),
    [
        (">&-", 0),
        ("2>&-", 0),
        (">&- 2>&-", 0),
        pytest.param(">/dev/full", 2, marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")),
    ],
)
def test_closed_and_full_streams_are_no_bug(volume, redirect, code):
    words = f"import sys\nfrom viewer.cli.main import main\nsys.exit(main(['info', {str(volume)!r}, '--json']))"
    shell = ["/bin/sh", "-c", f'"$0" -c "$1" {redirect}', sys.executable, words]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "bug" not in done.stderr
    assert "Exception" not in done.stderr


def test_messages_never_land_among_the_results(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    code = cli.main(["info", "no such file", "--json"])
    assert code == 2
    assert strict(capsys.readouterr().out)["refused"]


@pytest.mark.parametrize(("word", "says"), [("", "empty"), ("--js", "--js")])
def test_empty_words_and_shortened_options_are_refused(capsys, volume, monkeypatch, word, says):
    monkeypatch.chdir(volume.parent)  # an empty path would be this folder
    code, out, err = run(capsys, "info", volume, word)
    assert (code, out) == (2, "")
    assert says in err


def test_a_mistyped_verb_is_named_and_opens_no_window(capsys):
    code, out, err = run(capsys, "inof", "study")
    assert code == 2
    assert out == ""
    assert "inof" in err
