"""The page from the real server with the model that ships, as a player meets it: nothing is a stub here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jam_server import until
from page_server import SIDEMAN, Server

from sideman.cli import run
from sideman.formats.load import load_song

Open = Callable[..., Any]
FAST = {"tempo": 150, "listen": 2, "metronome": False}
MELODY = "adgkhfgdsadf"
GREENSLEEVES = Path(__file__).parents[2] / "examples" / "greensleeves.mid"


@pytest.fixture(scope="module")
def running_server(browser: Any) -> Iterator[Server]:
    server = Server(*SIDEMAN)
    server.start()
    yield server
    server.kill()


def wait(page: Any, expression: str) -> None:
    # The page's policy forbids the eval that `wait_for_function` needs.
    until(lambda: page.evaluate(expression), expression)


def play(page: Any, beats: range) -> None:
    """A note each beat."""
    for beat in beats:
        wait(page, f"sideman.app.jam.beat >= {beat}")
        page.keyboard.press(MELODY[beat % len(MELODY)], delay=120)


def save(page: Any, kind: str, folder: Path) -> Path:
    with page.expect_download(timeout=60_000) as download:
        page.click(f".take .tools >> text={kind}")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_from_play_to_a_take_that_replays(open_page: Open, tmp_path: Path, capsys: Any) -> None:
    page = open_page(settings=FAST)
    page.click("#play")
    play(page, range(8))
    wait(page, "sideman.app.jam.plan.plannedUntil > 8")
    assert page.inner_text("#phase") == "Playing along with you."
    wait(page, "sideman.app.engine.chords.voices.size > 0")
    wait(page, "document.getElementById('now').textContent !== ''")
    assert "in time" in page.inner_text("#service")
    page.evaluate("sideman.settings.set('tempo', 200)")
    page.evaluate("sideman.settings.set('temperature', 0.3)")
    play(page, range(8, 12))
    page.click("#play")
    page.wait_for_selector(".take")
    song = load_song(save(page, "MIDI", tmp_path))
    assert len(song.notes) == 12
    assert song.chords
    assert [round(tempo.bpm) for tempo in song.tempos] == [150, 200], "the file has the tempo map"
    assert load_song(save(page, "MusicXML", tmp_path)).chords
    assert len(json.loads(save(page, "JSON", tmp_path).read_text())["notes"]) == 12
    assert run(["jam", "--replay", str(save(page, "Jam log", tmp_path))]) == 0
    assert "plans came out the same" in capsys.readouterr().out
    page.click("text=Five other harmonisations")
    page.wait_for_selector(".options li:nth-child(5)", timeout=60_000)


def test_a_restarted_server_takes_the_jam_up(open_page: Open, server: Server) -> None:
    page = open_page(settings=FAST)
    page.click("#play")
    play(page, range(6))
    session = page.evaluate("sideman.app.jam.session")
    server.kill()
    page.wait_for_selector("#notice:not([hidden])")
    server.start()
    wait(page, "sideman.app.jam.started")
    assert page.evaluate("sideman.app.jam.session") != session
    beat = page.evaluate("Math.ceil(sideman.app.jam.beat)")
    play(page, range(beat, beat + 3))
    wait(page, f"sideman.app.jam.plan.plannedUntil > {beat + 4}")
    until(lambda: page.is_hidden("#notice"))
    page.click("#play")
    until(lambda: page.evaluate("sideman.app.takes.list()[0].notes.length") == 9, "what was played is kept")


def test_without_the_token_one_plays_alone_and_is_told_what_to_do(browser: Any) -> None:
    server = Server(*SIDEMAN[:-1], "--token", "s3cret", "--port")
    server.start()
    page = browser.new_page()
    try:
        page.goto(server.url)
        until(lambda: "The token is missing or wrong. Open the address" in page.inner_text("#notice"))
        page.evaluate("sideman.settings.set('tempo', 300)")
        page.click("#play")
        until(lambda: page.inner_text("#phase") == "Playing alone: the server sent us away.")
        assert "Open the address" in page.inner_text("#notice")
        page.keyboard.press("a", delay=50)
        page.click("#play")
        assert "1 note " in page.inner_text(".take")
        page.goto(server.url + "?token=s3cret")
        page.click("#play")
        wait(page, "sideman.app.jam.started")
    finally:
        page.close()
        server.kill()


def test_chords_are_answered_with_a_melody(open_page: Open, tmp_path: Path) -> None:
    page = open_page(settings=FAST | {"model": "melody", "keyOctave": 3})
    until(lambda: page.inner_text("#your-part") == "chords")
    chosen = page.locator("[data-setting=model] >> option:checked")
    assert chosen.evaluate("option => option.parentElement.label") == "A melody to your chords"
    page.click("#play")
    for bar, keys in enumerate(("adg", "fhk", "adg")):  # C, F, C
        wait(page, f"sideman.app.jam.beat >= {4 * bar}")
        for key in keys:
            page.keyboard.down(key)
        wait(page, f"sideman.app.jam.beat >= {4 * bar + 3}")
        for key in keys:
            page.keyboard.up(key)
    assert page.inner_text("#phase") == "Playing a melody over your chords."
    wait(page, "sideman.app.jam.lead.chords.some(({ onset }) => onset < sideman.app.jam.beat)")
    heard = page.evaluate("sideman.app.jam.plan.chords.map(({ symbol, heard }) => [symbol, heard])")
    assert heard == [["C", True], ["F", True], ["C", True]], "the chart shows what was heard"
    assert page.inner_text("#chart").count("C") == 2
    page.click("#play")
    page.wait_for_selector(".take")
    song = load_song(save(page, "MIDI", tmp_path))
    assert [span.chord.name() for span in song.chords] == ["C", "F", "C"]
    assert len(song.notes) == page.evaluate("sideman.app.takes.list()[0].notes.length") > 0


def test_from_a_file_to_a_row_with_a_kept_and_a_typed_chord(open_page: Open, tmp_path: Path) -> None:
    page = open_page(path="options", settings={"n": 2, "complexity": "sevenths"})
    page.set_input_files("#file", GREENSLEEVES)
    wait(page, "sideman.adviser.busy === null && sideman.desk.doc.melody.meter === '6/8'")
    page.click("#offer")
    page.wait_for_selector(".row:nth-child(2)", timeout=60_000)
    plain = "({ onset, duration, symbol }) => [onset, duration, symbol]"
    chords = f"sideman.desk.doc.rows.map(({{ chords }}) => chords.map({plain}))"
    kept = page.evaluate(chords)[0][2]
    page.click(".row:nth-child(1) .chord:nth-child(3)")
    page.keyboard.press("l")
    page.click("#offer")
    wait(page, "sideman.adviser.busy === null && sideman.desk.past.length > 3")
    assert all(kept in row for row in page.evaluate(chords)), "the kept chord is in every row, exactly"
    page.click(".row:nth-child(2) .chord:nth-child(1)")
    page.keyboard.press("Enter")
    page.keyboard.type("F#m7b5")
    page.keyboard.press("Enter")
    wait(page, "sideman.desk.doc.rows[1].edited && sideman.adviser.busy === null")
    assert page.evaluate("sideman.desk.doc.rows[1].chords[0].symbol") == "F#m7b5"
    page.keyboard.press("a")
    page.wait_for_selector(".others button:nth-child(1)", timeout=60_000)
    with page.expect_download(timeout=60_000) as download:
        page.click(".inspector [data-file=musicxml]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    written = load_song(path)
    assert str(written.meters[0]) == "6/8"
    assert written.chords[0].chord.name() == "F#m7b5"
