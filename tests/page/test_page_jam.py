"""A jam in the browser: what is sent, what is planned and sounds, and what happens when things go wrong."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from jam_server import until

FAST = {"tempo": 240, "listen": 2, "metronome": False}
Open = Callable[..., Any]

# Beats a second of the audio clock.
PACE = """async () => {
  const { stage, engine } = sideman.app;
  const look = () => ({ time: engine.now, beat: stage.placedBeat });
  const before = look();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const after = look();
  return (after.beat - before.beat) / (after.time - before.time);
}"""


def play(page: Any, until_beat: float = 0) -> None:
    page.click("#play")
    wait_beat(page, until_beat)


def wait_beat(page: Any, beat: float) -> None:
    page.wait_for_function(f"sideman.app.jam && sideman.app.jam.beat >= {beat}", timeout=15_000)


def jam(page: Any, expression: str) -> Any:
    return page.evaluate(f"(() => {{ const jam = sideman.app.jam; return {expression}; }})()")


def press(page: Any, keys: str, ms: int = 60) -> None:
    for key in keys:
        page.keyboard.down(key)
        page.wait_for_timeout(ms)
        page.keyboard.up(key)


def test_the_computer_keyboard_is_heard_by_the_server_and_answered(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST | {"tempo": 120})
    play(page, 0.1)
    press(page, "adgk")
    page.keyboard.press("x")
    press(page, "a")
    wait_beat(page, 4.5)
    assert page.inner_text("#phase") == "Playing along with you."
    page.wait_for_function(
        "document.getElementById('now').textContent === sideman.app.stage.plan.at(sideman.app.stage.beat)?.symbol"
    )
    chords = jam(page, "jam.plan.chords.map((c) => [c.onset, c.symbol])")
    assert chords[0] == [2, "C"], "nothing sounds before the listen-only beats are over"
    assert chords[1] == [4, "Am7"]
    assert jam(page, "jam.plan.intro.length") > 0
    page.click("#play")
    page.wait_for_function("sideman.app.phase === 'idle'")
    page.wait_for_selector("#chart .likely", state="detached")  # the chart keeps what sounded
    assert page.locator("#chart li").count() > 0
    server.wait_for("stop")
    start = server.of_type("start")[0]
    assert start["version"] == 1
    assert (start["tempo"], start["meter"], start["listen"], start["commit"]) == (120, "4/4", 2, 2)
    assert (start["session"], start["history"], start["model"]) == (None, None, None)
    told = server.of_type("notes")
    assert [message["request"] for message in told] == list(range(1, len(told) + 1))
    notes = [note for message in told for note in message["notes"]]
    assert [note["pitch"] for note in notes if note["on"]] == [60, 64, 67, 72, 72]
    assert len(notes) == 10
    assert [note["beat"] for note in notes] == sorted(note["beat"] for note in notes)
    for message in told:
        assert all(note["beat"] <= message["beat"] + 1e-9 for note in message["notes"])
    gaps = sorted(b["beat"] - a["beat"] for a, b in itertools.pairwise(told))
    assert gaps[len(gaps) // 2] < 1.3, "about once a beat at least"


def test_settings_change_while_playing(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST | {"lookahead": 4, "commit": 4})
    play(page, 1)
    assert page.is_disabled("[data-setting=listen]")
    assert page.locator("[data-setting=model] option").all_inner_texts() == [
        "Best there is",
        "stub",
        "other",
        "partner",
    ]
    groups = page.locator("[data-setting=model] optgroup").evaluate_all("all => all.map((each) => each.label)")
    assert groups == ["Chords to your melody", "A melody to your chords"]
    page.select_option("[data-setting=model]", "other")
    for name, value in (
        ("lookahead", 2),
        ("temperature", 1.5),
        ("tempo", 120),
        ("rhythm", "beats"),
        ("voicing", "shell"),
    ):
        page.evaluate("([name, value]) => sideman.settings.set(name, value)", [name, value])
    page.wait_for_function("sideman.app.stage.timeline.pieces.at(-1).time < sideman.app.engine.bridge.now()")
    assert page.evaluate(PACE) == pytest.approx(2), "120 beats a minute, after the horizon"
    told = {"model": "other", "lookahead": 2, "commit": 2, "temperature": 1.5, "tempo": 120}
    until(lambda: {k: v for message in server.of_type("set") for k, v in message.items() if k != "type"} == told)
    page.wait_for_function("sideman.app.jam.figures.model === 'other'")
    page.wait_for_function("sideman.app.jam.plan.chords.at(-1).dress.rhythm === 'beats'")
    assert page.input_value("[data-setting=commit]") == "2", "commit never exceeds lookahead"
    page.click("#play")
    page.wait_for_selector("#takes-empty:not([hidden])")  # nothing was played, so nothing is kept


def test_the_server_dies_and_comes_back_and_nothing_played_is_lost(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST)
    play(page, 0.1)
    press(page, "ad")
    wait_beat(page, 3)
    keys = page.locator("#keys").bounding_box()
    server.kill()
    page.wait_for_selector("#notice:not([hidden])")
    assert "plays on" in page.inner_text("#notice")
    assert page.locator("#keys").bounding_box() == keys, "no key moves under the player's fingers"
    planned, session = jam(page, "jam.plan.chords.length"), jam(page, "jam.session")
    press(page, "gk")
    assert jam(page, "jam.plan.chords.length") >= planned > 0
    server.heard.clear()
    server.start()
    page.wait_for_function("sideman.app.jam.started", timeout=15_000)
    beat = jam(page, "jam.beat")
    page.wait_for_function("document.getElementById('notice').hidden")
    again = server.wait_for("start")
    assert again["session"] == session
    assert [note["pitch"] for note in again["history"]["notes"]] == [60, 64, 67, 72]
    assert again["history"]["chords"][0]["symbol"] == "C"
    press(page, "a")
    wait_beat(page, beat + 3)
    assert jam(page, "jam.plan.plannedUntil") > beat + 3
    page.click("#play")
    page.wait_for_selector("#takes li")
    kept = page.evaluate("sideman.app.takes.list()[0].notes.map((n) => n.pitch)")
    assert kept == [60, 64, 67, 72, 60]


def test_a_broken_line_to_a_server_that_remembers_loses_no_note(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST)
    play(page, 0.1)
    for keys in ("ad", "gk"):
        page.wait_for_function("sideman.app.jam.started")
        press(page, keys)
        page.keyboard.down("h")
        page.evaluate("sideman.app.jam.connection.restart()")
        page.keyboard.up("h")
    press(page, "f")
    wait_beat(page, jam(page, "jam.beat") + 2)
    played = jam(page, "jam.performance.events.map((e) => [e.on, e.pitch, e.beat])")
    page.click("#play")
    server.wait_for("stop")
    assert len(server.of_type("start")) == 3
    heard = {(n["on"], n["pitch"], n["beat"]) for message in server.of_type("notes") for n in message["notes"]}
    assert heard == {tuple(event) for event in played}


def test_no_server_at_the_start_says_so_and_lets_one_play(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST)
    server.kill()
    try:
        play(page, 0.2)
        press(page, "a")
        assert "server is gone" in page.inner_text("#notice")
        page.click("#play")
        assert "1 note " in page.inner_text("#takes")
        page.click("text=MusicXML")
        page.wait_for_function("document.getElementById('notice').textContent.includes('cannot be reached')")
    finally:
        server.start()


def test_two_tabs_play_apart_and_share_takes(open_page: Open, server: Any) -> None:
    one = open_page(settings=FAST)
    two = open_page(beside=one)
    assert two.evaluate("sideman.settings.get('tempo')") == 240, "settings persist"
    for page in (one, two):
        play(page, 0.1)
    one.bring_to_front()
    press(one, "a")
    two.bring_to_front()
    press(two, "kk")
    wait_beat(two, 3)
    assert jam(one, "jam.performance.notes.map((n) => n.pitch)") == [60]
    assert jam(two, "jam.performance.notes.map((n) => n.pitch)") == [72, 72]
    until(lambda: jam(one, "jam.plan.plannedUntil > 3"), "the tab behind plays on")
    one.click("#play")
    two.click("#play")
    for page in (one, two):
        page.wait_for_function("document.querySelectorAll('.take').length === 2")


def test_a_suspended_sound_asks_for_play_and_goes_on_where_it_was(open_page: Open) -> None:
    page = open_page(settings=FAST)
    play(page, 1)
    press(page, "a")
    page.evaluate("sideman.app.engine.ctx.suspend()")
    page.wait_for_function("sideman.app.phase === 'paused'")
    until(lambda: "Press Play" in page.inner_text("#notice"), "it is said what to do")
    assert page.inner_text("#play") == "Play"
    stood = jam(page, "sideman.app.stage.beat")
    page.wait_for_timeout(400)
    assert jam(page, "sideman.app.stage.beat") == pytest.approx(stood, abs=0.1)
    page.click("#play")
    page.wait_for_function("sideman.app.phase === 'jamming' || sideman.app.phase === 'listening'")
    wait_beat(page, stood + 1)
    assert page.is_hidden("#notice")
    assert jam(page, "jam.performance.notes.length") == 1
    page.click("#play")


def test_an_error_of_the_server_is_one_clear_line(open_page: Open) -> None:
    page = open_page(settings=FAST)
    play(page, 0.1)
    message = '{type: "error", code: "x", message: "Too many messages.", hint: "Wait a second.", fatal: false}'
    page.evaluate(f"sideman.app.jam.connection.dispatchEvent(new CustomEvent('message', {{detail: {message}}}))")
    assert page.inner_text("#notice") == "Too many messages. Wait a second."
    page.click("#play")


def test_after_playing_takes_play_back_download_and_get_other_harmonies(open_page: Open, server: Any) -> None:
    page = open_page(settings=FAST | {"tempo": 120})
    play(page, -3.5)
    press(page, "g")  # an upbeat in the count-in
    wait_beat(page, 0.1)
    press(page, "adgk", 120)
    page.evaluate("sideman.settings.set('tempo', 180)")
    wait_beat(page, 5)
    page.click("#play")
    page.wait_for_selector(".take")
    with page.expect_download() as download:
        page.click(".take >> text=MIDI")
    assert download.value.suggested_filename.endswith(".mid")
    take = server.of_type("take")[0]
    assert take["accept"] == "audio/midi"
    assert (take["tempo"], take["meter"]) == (120, "4/4")
    assert [change["tempo"] for change in take["tempos"]] == [180]
    assert 4 < take["tempos"][0]["onset"] < 9
    assert len(take["notes"]) == 5
    assert 0 < take["notes"][0]["onset"] < 4 <= take["notes"][1]["onset"], "the upbeat has a bar of its own"
    assert take["chords"][0]["symbol"] == "C"
    assert take["chords"][0]["onset"] == 6
    page.click(".take >> text=Jam log")
    page.wait_for_function("document.getElementById('notice').textContent.includes('has forgotten this jam')")
    page.click("text=Five other harmonisations")
    page.wait_for_selector(".options li:nth-child(5)")
    page.click("[aria-label='Play harmonisation 2']")
    page.wait_for_function("sideman.app.phase === 'playback'")
    assert page.evaluate("sideman.app.stage.plan.chords.length") > 0
    page.click("[aria-label='Play harmonisation 2']")
    page.wait_for_function("sideman.app.phase === 'idle'")
    page.click(".take-head .round")
    page.wait_for_function("sideman.app.stage && sideman.app.engine.melody.voices.size > 0")
    page.wait_for_function("sideman.app.phase === 'idle'")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(".take >> text=Delete")
    page.wait_for_selector(".take", state="detached")
    assert page.is_visible("#takes-empty")


def test_a_closed_tab_keeps_its_take(open_page: Open) -> None:
    page = open_page(settings=FAST)
    play(page, 0.1)
    press(page, "ad")
    page.reload()
    page.wait_for_selector(".take")
    assert re.search(r"2 notes", page.inner_text(".take"))


PAINTINGS = """
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  window.painted = 0;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) { window.painted += 1; clear.apply(this, box); };
"""
TEN_FRAMES = """() => new Promise((done) => {
  let count = 0;
  const next = () => (count++ < 10 ? requestAnimationFrame(next) : done());
  next();
})"""


def test_at_rest_nothing_is_painted(open_page: Open) -> None:
    """It may stay open for days on a battery."""
    page = open_page(init=PAINTINGS)

    def painted(change: str) -> int:
        page.evaluate(TEN_FRAMES)
        before = page.evaluate("painted")
        page.evaluate(change)
        page.evaluate(TEN_FRAMES)
        return page.evaluate("painted") - before

    assert painted("0") == 0
    assert painted("sideman.app.down.add(60)") == 1
    assert painted("sideman.app.down.delete(60)") == 1
    assert painted("sideman.settings.set('keyOctave', 3)") == 1, "the letters move"
    assert painted("document.getElementById('keys').style.width = '300px'") >= 1


def test_mouse_and_touch_play_the_drawn_keys(open_page: Open) -> None:
    page = open_page(settings=FAST)
    box = page.locator("#keys").bounding_box()
    white = box["width"] / 52
    page.mouse.move(box["x"] + 23.5 * white, box["y"] + box["height"] * 0.9)  # middle C is the 24th white key
    page.mouse.down()
    assert page.evaluate("[...sideman.app.down]") == [60]
    page.mouse.move(box["x"] + 24.5 * white, box["y"] + box["height"] * 0.9)
    assert page.evaluate("[...sideman.app.down]") == [62], "sliding plays the next key"
    page.mouse.up()
    assert page.evaluate("[...sideman.app.down]") == []
    assert page.evaluate("sideman.app.engine.melody.voices.size") == 2
