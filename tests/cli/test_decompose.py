"""``oplas decompose`` on real files, good and bad. Models are untrained, but where a test is about learning."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from oplas.codecs import codec
from oplas.decompose import Composable, Decomposition
from oplas.decompose.prior import Prior

ENTRY = "from oplas.cli import main; main()"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def made(view: str = "blind", parts: int = 2, names: tuple[str, ...] = ("drums", "bass")) -> Decomposition:
    torch.manual_seed(0)
    model = Composable(128, parts, size="S", view=view, positive=True)  # type: ignore[arg-type]
    return Decomposition(codec("mel"), model, names, Prior(parts, "S") if view != "clean" else None)


@pytest.fixture
def model() -> Path:
    return made().save("band.parts")


def song(name: str, seconds: float = 2.0, rate: int = 16_000, channels: int = 1, seed: int = 0) -> Path:
    path, time = Path(name), np.arange(round(seconds * rate)) / rate
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal((len(time), channels)) * np.exp(-40 * (time % 0.5))[:, None]
    soundfile.write(path, 0.1 * noise + 0.1 * np.sin(2 * math.pi * (200 + 40 * seed) * time)[:, None], rate)
    return path


def read(path: str | Path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def test_songs_are_taken_apart_at_their_own_rate_and_add_up(run, model):
    song("in/a.wav", rate=44_100, channels=2)
    song("in/deep/b.flac")
    said = run("decompose", "apply", "in", "-m", model, "-o", "out", "--json")
    assert said.code == 0 and [each["folder"] for each in said.facts["songs"]] == ["out/a", "out/deep/b"]
    for name, source in (("a", "in/a.wav"), ("deep/b", "in/deep/b.flac")):
        assert np.array_equal(read(f"out/{name}/drums.wav") + read(f"out/{name}/bass.wav"), read(source))
    again = run("decompose", "apply", "in", "-m", model, "-o", "out")
    assert again.code == 0 and again.out.count("there already") == 2 and "sum back bit for bit" in again.out
    assert run("decompose", "rename", model, "drums=kit").code == 0
    assert "there already" not in run("decompose", "apply", "in", "-m", model, "-o", "out").out
    assert Path("out/a/kit.wav").is_file()


def test_only_what_is_asked_for_is_written_as_asked(run, model):
    said = run("decompose", "apply", song("a.wav"), "-m", model, "-o", "out", "--only", "2", "--format", "flac")
    assert said.code == 0 and {each.name for each in Path("out/a").iterdir()} == {"bass.flac", "parts.json"}
    said = run("decompose", "apply", "a.wav", "-m", model, "-o", "other", "--only", "voice")
    assert said.code == 65 and "the parts are drums, bass" in said.err and not Path("other").exists()


def test_parts_as_rendered_say_what_their_sum_lacks(run, model):
    said = run("decompose", "apply", song("a.wav"), "-m", model, "-o", "out", "--rendered", "--json")
    assert said.code == 0 and said.facts["songs"][0]["residual"] > -60


def test_a_page_holds_song_parts_reconstruction_and_variations(run, model):
    assert run("decompose", "apply", song("a <b>.wav"), "-m", model, "-o", "out", "--page").code == 0
    page = Path("out/a <b>/index.html").read_text()
    headings = ("The song", "Its parts", "What the model makes by itself", "Variations")
    assert all(f"<h2>{each}</h2>" in page for each in headings) and "a &lt;b&gt;.wav" in page and page.count("<audio") == 8


def test_one_bad_song_does_not_stop_the_others(run, model):
    song("in/good.wav")
    soundfile.write("in/silent.wav", np.zeros(16_000), 16_000)
    Path("in/text.wav").write_text("la la la")
    said = run("decompose", "apply", "in", "-m", model, "-o", "out", "--json")
    assert said.code == 0 and len(said.facts["songs"]) == 1
    assert [name in each for name, each in zip(("silent", "text"), said.facts["warnings"], strict=True)] == [True, True]
    assert {each.name for each in Path("out").iterdir()} == {"good"}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["apply", "gone.wav", "-m", "band.parts", "-o", "out"], "there is no file or folder gone.wav"),
        (["apply", "a.wav", "-m", "gone.parts", "-o", "out"], "there is no model gone.parts"),
        (["apply", "a.wav", "-m", "a.wav", "-o", "out"], "not a readable saved decomposition"),
        (["apply", "silent.wav", "-m", "band.parts", "-o", "out"], "silent.wav is silent"),
        (["apply", "a.wav", "-m", "band.parts", "-o", "out", "--format", "mp3"], "written as wav or flac"),
        (["generate", "-m", "clean.parts", "-o", "out"], "nothing can be generated"),
        (["generate", "-m", "band.parts", "-o", "out", "--given", "bass"], "write PART=FILE"),
        (["generate", "-m", "band.parts", "-o", "out", "--given", "voice=a.wav"], "there is no part 'voice'"),
        (["generate", "-m", "band.parts", "-o", "out", "--given", "1=a.wav", "--given", "2=a.wav"], "all 2 parts are given"),
        (["vary", "a.wav", "-m", "band.parts", "-o", "out", "--start", "9"], "0.0 s of it were asked for"),
        (["vary", "a.wav", "-m", "band.parts", "-o", "out", "--part", "voice"], "there is no part 'voice'"),
        (["rename", "band.parts", "3=voice"], "renames no part"),
        (["rename", "band.parts", "1=a/b"], "cannot be a part's name"),
        (["learn", "--from", "gone", "-o", "m"], "there is no file or folder gone"),
        (["learn", "--from", "a.wav", "-o", "m", "--way", "compose", "--size", "S"], "1 song(s) can be learned from"),
        (["learn", "--from", "a.wav", "-o", "m", "--kind", "voice"], "voice"),
        (["learn", "--from", "a.wav", "-o", "a.wav"], "is no saved model, so it is not replaced"),
    ],
)
def test_what_will_not_do_is_told_and_nothing_is_written(run, model, words, answer):
    song("a.wav", seconds=3.0)
    made("clean").save("clean.parts")
    soundfile.write("silent.wav", np.zeros(16_000), 16_000)
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    said = run("decompose", *words)
    assert said.code == 65 and answer in said.err and "Traceback" not in said.err
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "cache" not in str(path)}
    assert after == before


@pytest.mark.parametrize(
    "words", [["-n", "9"], ["-n", "0"], ["--minutes", "1", "--steps", "9"], ["--kind", "bass", "--way", "compose"]]
)
def test_wrong_usage_is_told_before_anything_is_read(run, words):
    assert run("decompose", "learn", "--from", "gone", "-o", "m", *words).code == 2


def test_parts_are_generated_to_fit_what_is_given(run, model):
    song("bass.wav", seconds=2.0, rate=8000)
    said = run("decompose", "generate", "-m", model, "-o", "out", "--seconds", "1", "--given", "bass=bass.wav", "--page", "--json")
    assert said.code == 0 and said.facts["new"] == ["drums"] and said.facts["rate"] == 8000
    assert np.allclose(read("out/bass.wav"), read("bass.wav")[:8000], atol=1e-6)
    assert np.allclose(read("out/drums.wav") + read("out/bass.wav"), read("out/mix.wav"), atol=1e-5)
    assert "as it was given" in Path("out/index.html").read_text()
    assert (
        run("decompose", "generate", "-m", model, "-o", "free", "--seconds", "0.5").code == 0
        and len(read("free/mix.wav")) == 12_000
    )


def test_a_part_is_varied_and_the_others_are_kept(run, model):
    said = run(
        "decompose",
        "vary",
        song("a.wav"),
        "-m",
        model,
        "-o",
        "out",
        "--part",
        "drums",
        "--strength",
        "1",
        "--seconds",
        "1",
        "--page",
        "--json",
    )
    assert said.code == 0 and said.facts["new"] == ["drums"] and len(read("out/mix.wav")) == 16_000
    kept = made().split(torch.from_numpy(read("a.wav")[:16_000, 0]).float(), 16_000)[1]
    assert np.allclose(read("out/bass.wav")[:, 0], kept.numpy(), atol=1e-5)


def test_a_model_shows_what_it_is(run, model):
    said = run("decompose", "show", model)
    assert said.code == 0 and "2 parts: 1 drums, 2 bass" in said.out and "split, generate, vary" in said.out
    made("clean").save("clean.parts")
    assert "can split\n" in run("decompose", "show", "clean.parts").out + "\n"


def test_the_algebra_of_parts_is_certified(run, model):
    for seed in range(2):
        song(f"songs/{seed}.wav", seconds=3.0, seed=seed)
    said = run("decompose", "certify", model, "--from", "songs", "--windows", "8", "--json")
    verdicts = {law["name"]: law["verdict"] for law in said.facts["laws"]}
    assert said.code == 3 and verdicts["add up"] == verdicts["order"] == "exact" and verdicts["compose"] == "vacuous"


def test_learning_saves_a_model_with_names_and_leaves_nothing_beside_it(run):
    for seed in range(3):
        song(f"songs/{seed}.wav", seconds=3.0, seed=seed)
    said = run(
        "decompose",
        "learn",
        "--from",
        "songs",
        "-o",
        "m.parts",
        "-n",
        "2",
        "--way",
        "compose",
        "--size",
        "S",
        "--steps",
        "2",
        "--json",
    )
    assert said.code == 0, said.err
    assert said.facts["songs"] >= 2 and said.facts["ceiling"]["shared"] > 0 and len(said.facts["parts"]) == 2
    assert {each.name for each in Path().iterdir()} == {"songs", "m.parts"}
    assert run("decompose", "apply", "songs/0.wav", "-m", "m.parts", "-o", "out").code == 0


def test_the_way_to_clean_parts_is_the_one_that_is_recommended(run, monkeypatch):
    asked = {}

    def from_songs(files, parts, **how):
        asked.update(how, files=[each.name for each in files], parts=parts)
        found = made("clean", 3, ("drums", "bass", "rest"))
        found.card = {"songs": {"count": 2}}
        return found

    monkeypatch.setattr("oplas.decompose.from_songs", from_songs)
    for seed in range(2):
        song(f"songs/{seed}.wav", seed=seed)
    said = run("decompose", "learn", "--from", "songs", "-o", "m.parts", "-n", "3", "--minutes", "2", "--json")
    assert said.code == 0 and said.facts["parts"] == ["drums", "bass", "rest"]
    assert asked["files"] == ["0.wav", "1.wav"] and (asked["parts"], asked["minutes"], asked["size"]) == (3, 2, "M")
    assert asked["lesson"] is None
    assert run("decompose", "learn", "--from", "songs", "-o", "m.parts", *["--kind", "drums", "--kind", "chords+lead"]).code == 0
    assert repr(asked["lesson"]) == "Lesson('drums', 'chords+lead')"


def test_a_killed_learning_goes_on_and_leaves_no_half_written_model(run, monkeypatch):
    for seed in range(3):
        song(f"songs/{seed}.wav", seconds=3.0, seed=seed)
    words = ["decompose", "learn", "--from", "songs", "-o", "m.parts", "--way", "compose", "--size", "S"]
    often = "import oplas.decompose._loop as loop; loop.OFTEN = 0; "
    killed = subprocess.Popen([sys.executable, "-c", often + ENTRY, *words, "--steps", "8"], stderr=subprocess.DEVNULL)
    while not Path("m.parts.run/model/card.json").is_file():
        assert killed.poll() is None
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not Path("m.parts").exists()
    said = run(*words, "--steps", "9")
    assert said.code == 65 and "steps=8, now 9" in said.err
    assert run(*words, "--steps", "8").code == 0 and Path("m.parts").is_file() and not Path("m.parts.run").exists()
