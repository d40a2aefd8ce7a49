"""The page that offers progressions: what is asked of the server, heard, kept, changed, drawn and taken along."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from jam_server import until
from test_page_access import NAMELESS, OUTSIDE

Open = Callable[..., Any]

CELLS = "(row) => sideman.desk.doc.rows[row].chords.map(({ onset, duration, symbol }) => [onset, duration, symbol])"
SYMBOLS = "(row) => sideman.desk.doc.rows[row].chords.map(({ symbol }) => symbol)"
NOTES = "sideman.desk.doc.melody.notes.map(({ onset, duration, pitch }) => [onset, duration, pitch])"
# Sixteen beats: four bars of the stub's chords.
MELODY = """sideman.desk.begin({ notes: [0, 4, 8, 12].map((onset, i) => ({ onset, duration: 4, pitch: 60 + 2 * i })),
  meter: "4/4", tempo: 90, pickup: 0, title: "Four" })"""
DROP = """(content) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([content], "tune.mid"));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def open_options(open_page: Open) -> Open:
    """Opens the page with a melody of four bars and settings of the form."""

    def open_it(melody: str = MELODY, **settings: Any) -> Any:
        page = open_page(path="options", settings=settings)
        if melody:
            page.evaluate(melody)
        return page

    return open_it


def offer(page: Any) -> None:
    page.click("#offer")
    settled(page)
    page.wait_for_selector(".row")


def settled(page: Any) -> None:
    page.wait_for_function("sideman.adviser.busy === null")


def chord(row: int, index: int) -> str:
    return f".row:nth-child({row + 1}) .chord:nth-child({index + 1})"


def test_a_melody_at_hand_becomes_rows_of_chords(open_options: Open, server: Any) -> None:
    page = open_options(melody="", n=3, density=2, bass="0.5", complexity="sevenths", cadence="half", key="lock")
    assert page.inner_text("#tune") == "Greensleeves"
    offer(page)
    asked = server.wait_for("options")
    wished = {"n": 3, "density": 2, "bass": 0.5, "complexity": "sevenths", "cadence": "half", "key": "lock", "keep": []}
    assert {name: asked[name] for name in wished} == wished
    assert "surprise" not in asked, "what is left open is not sent"
    assert (asked["melody"]["meter"], asked["melody"]["pickup"], len(asked["melody"]["notes"])) == ("6/8", 0.5, 72)
    assert page.locator(".row").count() == 3
    head = page.inner_text(".row:nth-child(1) .row-head")
    for said in ("100", "80 % in chord", "Turn 1."):
        assert said in head
    assert page.locator(chord(0, 0) + " .numeral").inner_text() in ("I", "vi7", "ii7", "V7")
    assert page.evaluate(NAMELESS) == [], "every control has a name"
    page.reload()
    page.wait_for_selector(".row:nth-child(3)")
    assert page.input_value("[data-setting=density]") == "2", "settings and rows stay"


def test_a_row_is_heard_another_takes_over_and_a_bar_goes_round(open_options: Open) -> None:
    page = open_options(n=2)
    offer(page)
    page.click(".row:nth-child(1) .round")
    page.wait_for_function("sideman.player.beat > 1")
    assert page.evaluate("sideman.player.engine.chords.voices.size") >= 3
    assert page.evaluate("sideman.player.engine.melody.voices.size") >= 1
    first = page.locator("#cursor").bounding_box()["x"]
    page.wait_for_selector(".row:nth-child(1) .chord.sounding")
    page.click(".row:nth-child(2) .round")
    assert page.evaluate("sideman.player.beat") > 1, "it goes on where it was"
    page.wait_for_selector(".row:nth-child(2) .chord.sounding")
    assert page.locator(".sounding").count() == 1
    assert page.locator("#cursor").bounding_box()["x"] > first
    page.evaluate("sideman.desk.rewrite({ tempo: 240 })")  # a bar lasts a second
    page.click(".bar-mark-number:nth-child(2)")
    started = time.monotonic()
    while time.monotonic() < started + 1.4:
        assert 4 <= page.evaluate("sideman.player.beat") <= 8
    page.click(".bar-mark-number:nth-child(2)")
    page.wait_for_function("sideman.player.source === null")
    assert page.is_hidden("#cursor")


def test_a_chord_that_is_kept_stays_and_the_rest_is_rolled(open_options: Open, server: Any) -> None:
    page = open_options(n=2, seed=1)
    offer(page)
    before = page.evaluate(CELLS, 0)
    page.hover(chord(0, 1))
    page.click(chord(0, 1) + " .lock")
    page.click(chord(0, 2) + " .lock", modifiers=["Shift"])
    assert page.inner_text("#offer") == "Roll the rest"
    assert page.locator(".row:nth-child(1) .kept").count() == 2
    page.click("#offer")
    page.wait_for_function("sideman.desk.doc.rows[1].chords[1].symbol === sideman.desk.doc.rows[0].chords[1].symbol")
    asked = server.of_type("options")
    assert [[c["onset"], c["duration"], c["symbol"]] for c in asked[-1]["keep"]] == before[1:3]
    for row in range(2):
        assert page.evaluate(CELLS, row)[1:3] == before[1:3], "exactly as they were"
    settled(page)
    page.click("#offer")
    settled(page)
    seeds = [question["seed"] for question in server.of_type("options")]
    assert seeds[1] == 1, "other chords to keep are another question"
    assert seeds[2] != 1, "the same question is rolled again"
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert page.evaluate(CELLS, 0) == before
    assert page.locator(".kept").count() == 0
    page.keyboard.press("Control+Shift+z")
    page.click("#redo")
    assert page.locator(".row:nth-child(1) .kept").count() == 2


def test_a_chord_is_typed_and_what_is_wrong_is_said(open_options: Open, server: Any) -> None:
    page = open_options(n=1, seed=0)
    offer(page)
    before = page.evaluate(SYMBOLS, 0)
    page.click(chord(0, 1))
    page.keyboard.press("l")
    page.keyboard.press("Enter")
    page.keyboard.type("Hm7")
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice:not([hidden])")
    assert page.inner_text("#notice") == "'Hm7' is not a chord symbol. Write one like C, Am7 or Bb/D."
    assert page.input_value(".symbol-field") == "Hm7", "what was typed stays"
    assert page.evaluate(SYMBOLS, 0) == before
    page.fill(".symbol-field", "D E7")
    page.keyboard.press("Enter")
    page.wait_for_function("sideman.desk.doc.rows[0].chords.length === 5")
    assert page.evaluate(CELLS, 0)[1:3] == [[4, 2, "D"], [6, 2, "E7"]]
    assert page.is_hidden("#notice")
    assert [each["symbol"] for each in page.evaluate("sideman.desk.doc.kept")] == ["D", "E7"], "the lock goes along"
    assert page.evaluate("document.activeElement.dataset.chord") == "1", "the focus is back on the chord"
    page.keyboard.press("Delete")
    page.wait_for_function("sideman.desk.doc.rows[0].chords.length === 4")
    assert page.evaluate(CELLS, 0)[0] == [0, 6, before[0]], "the chord before goes on"
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert page.evaluate(SYMBOLS, 0) == before


def test_another_chord_is_chosen_in_its_place(open_options: Open, server: Any) -> None:
    page = open_options(n=1, seed=0)
    offer(page)
    page.click(chord(0, 2))
    page.keyboard.press("a")
    page.wait_for_selector(".others button:nth-child(1)")
    asked = server.wait_for("alternatives")
    assert (asked["onset"], len(asked["chords"])) == (8, 4)
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".course") == "It shares two tones."
    wished = page.inner_text(".others :focus b")
    page.keyboard.press("Enter")
    page.wait_for_function(f"sideman.desk.doc.rows[0].chords[2].symbol === '{wished}'")
    page.wait_for_function("document.activeElement.dataset.chord === '2'")


def test_a_file_is_dropped_with_its_chords_and_a_wrong_one_changes_nothing(open_options: Open) -> None:
    page = open_options()
    page.evaluate(DROP, "not music")
    page.wait_for_selector("#notice:not([hidden])")
    assert page.inner_text("#notice") == "This kind of file is not read. Give a .mid."
    assert page.inner_text("#tune") == "Four"
    page.evaluate(DROP, "MThd")
    page.wait_for_selector(".row")
    assert page.inner_text("#tune") == "Dropped"
    assert page.is_hidden("#notice")
    assert page.evaluate(CELLS, 0) == [[2, 6, "C"]]
    assert "The chords in the file" in page.inner_text(".row .why")
    assert page.locator(".bar-mark-number").all_inner_texts() == ["", "1", "2"], "a pickup has no number"
    page.click("#offer")
    page.wait_for_selector(".row:nth-child(6)")
    assert page.evaluate(SYMBOLS, 5) == ["C"], "its own chords stay below"


def test_a_melody_is_drawn_with_mouse_and_keys(open_options: Open) -> None:
    page = open_options(
        melody="sideman.desk.begin({ notes: [], meter: '4/4', tempo: 100, pickup: 0, title: '' })", grid="1"
    )
    assert page.is_disabled("#offer")
    box = page.locator("#roll").bounding_box()
    beat, step = page.evaluate("sideman.timeline.width"), box["height"] / 21
    x, y = box["x"] + 2.5 * beat, box["y"] + 4.5 * step
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + beat, y)
    page.mouse.up()
    assert page.evaluate(NOTES) == [[2, 2, 72]], "drawn two beats long"
    note = page.locator(".note[data-note='0']").bounding_box()
    page.mouse.move(note["x"] + 3, note["y"] + 2)
    page.mouse.down()
    page.mouse.move(note["x"] + 3 - beat, note["y"] + 2 + 2 * note["height"])
    page.mouse.up()
    assert page.evaluate(NOTES) == [[1, 2, 70]]
    page.focus("#roll")
    for key in ("n", "ArrowUp", "Shift+ArrowDown", "+", "Shift+ArrowRight", "ArrowLeft", "-"):
        page.keyboard.press(key)
    assert page.evaluate(NOTES) == [[1, 1, 70], [4, 3, 59]]
    page.keyboard.press("Delete")
    assert page.evaluate(NOTES) == [[4, 3, 59]]
    page.keyboard.press("Control+z")
    assert len(page.evaluate(NOTES)) == 2
    page.locator(".note[data-note='1']").dblclick()
    assert page.evaluate(NOTES) == [[1, 1, 70]]


def test_a_melody_is_played_in_on_the_letter_keys(open_options: Open) -> None:
    page = open_options()
    page.evaluate("sideman.desk.rewrite({ tempo: 200 })")
    page.click("#record")
    page.wait_for_function("sideman.recorder.beat > 0.5")
    page.keyboard.press("d", delay=100)
    lifted = page.evaluate("sideman.recorder.beat")
    page.wait_for_function(f"sideman.recorder.beat > {lifted + 1.75}")
    page.keyboard.press("g", delay=100)
    page.keyboard.press("Escape")
    page.wait_for_function("sideman.recorder.running === null")
    notes = page.evaluate(NOTES)
    assert [pitch for _, _, pitch in notes] == [64, 67]
    assert notes[1][0] - notes[0][0] >= 1.5
    assert all(onset % 0.25 == 0 == length % 0.25 for onset, length, _ in notes), "on the grid"
    page.keyboard.press("d")
    assert len(page.evaluate(NOTES)) == 2, "letters play no longer"


def test_rows_are_taken_along_in_every_form(open_options: Open, server: Any) -> None:
    page = open_options(n=2, seed=0)
    offer(page)
    page.click(chord(1, 0))
    endings = {"midi": "mid", "musicxml": "musicxml", "text": "txt", "ireal": "html", "abc": "abc"}
    for kind, ending in endings.items():
        with page.expect_download() as download:
            page.click(f".inspector [data-file={kind}]")
        assert download.value.suggested_filename == f"Four option 2.{ending}"
    until(lambda: len(server.of_type("song")) == len(endings))
    asked = server.of_type("song")
    assert [each["format"] for each in asked] == list(endings)
    assert [each["symbol"] for each in asked[0]["song"]["chords"]] == page.evaluate(SYMBOLS, 1)
    page.hover(".row:nth-child(2) .grip")
    server.wait_for("song")
    dragged = """async () => {
      const grip = document.querySelector(".row:nth-child(2) .grip");
      const dataTransfer = new DataTransfer();
      grip.dispatchEvent(new DragEvent("dragstart", { dataTransfer, cancelable: true }));
      const [, type, name, url] = /^([^:]+):([^:]+):(.+)$/.exec(dataTransfer.getData("DownloadURL")) ?? [];
      return url && [type, name, await (await fetch(url)).text()];
    }"""
    page.wait_for_function(f"async () => ({dragged})()")
    assert page.evaluate(dragged) == ["audio/midi", "Four option 2.mid", "MThd stub"]


def test_it_is_used_without_a_mouse(open_options: Open) -> None:
    page = open_options(n=3, seed=0)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "offer"
    page.keyboard.press("Enter")
    page.wait_for_selector(".row:nth-child(3)")
    settled(page)
    assert page.evaluate("document.activeElement.id") == "offer", "the focus stays where it was"
    page.focus(chord(0, 0))
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "l"):
        page.keyboard.press(key)
    assert page.evaluate("[sideman.selection.row, sideman.selection.chords.length]") == [1, 2]
    assert page.locator(".row:nth-child(2) .kept").count() == 2
    assert "kept" in page.get_attribute(chord(1, 2), "aria-label")
    page.keyboard.press("o")
    assert page.evaluate("[sideman.selection.loop.from, sideman.selection.loop.to]") == [4, 12]
    page.keyboard.press(" ")
    page.wait_for_function("sideman.player.row === 1 && sideman.player.beat >= 4")
    page.keyboard.press(" ")
    page.wait_for_function("sideman.player.source === null")
    page.keyboard.press("r")
    page.wait_for_function("sideman.desk.doc.answer.seed !== undefined && sideman.adviser.busy === null")
    assert page.evaluate("document.activeElement.classList.contains('chord')"), "the focus is on a chord again"
    page.keyboard.press("?")
    assert page.is_visible("#help kbd >> nth=0")


def test_nothing_is_cut_off_on_any_screen(open_options: Open) -> None:
    page = open_options(melody="")
    offer(page)
    for width, height in ((360, 740), (740, 360), (768, 1024), (1280, 800), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        outside = [part for part in page.evaluate(OUTSIDE) if "bar-mark-number" not in part]  # those scroll
        assert outside == [], width
        assert page.locator("#offer").bounding_box()["height"] >= 44


def test_without_the_server_nothing_is_lost(open_options: Open) -> None:
    page = open_options(n=1)
    offer(page)
    before = page.evaluate("JSON.stringify(sideman.desk.doc)")
    page.route("**/v1/**", lambda route: route.abort())
    page.click("#offer")
    page.wait_for_selector("#notice:not([hidden])")
    assert page.inner_text("#notice") == "The server cannot be reached. Start it again with: sideman jam"
    page.click(chord(0, 0))
    page.keyboard.press("Enter")
    page.keyboard.type("G")
    page.keyboard.press("Enter")
    page.wait_for_selector(".symbol-field[aria-invalid]")
    page.click(".inspector [data-file=midi]")
    settled(page)
    assert page.evaluate("JSON.stringify(sideman.desk.doc)") == before
    page.click(".row .round")
    page.wait_for_function("sideman.player.beat > 0.5")
    page.unroute("**/v1/**")
    page.click("#offer")
    page.wait_for_selector("#notice", state="hidden")


# Titles of the chords whose symbols are cut off. A line of upright letters is wider than they are.
CUT = """[...document.querySelectorAll(".chord")].filter((cell) => {
  const symbol = cell.querySelector(".symbol");
  const { visibility, writingMode } = getComputedStyle(symbol);
  if (visibility === "hidden") return cell.title !== symbol.textContent;
  const range = document.createRange();
  range.selectNodeContents(symbol);
  const [text, room] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
  const spare = writingMode === "horizontal-tb" ? 0 : 4;
  const across = Math.max(room.left - text.left, text.right - room.right) > spare;
  return across || Math.max(room.top - text.top, text.bottom - room.bottom) > 0;
}).map(({ title }) => title)"""
NARROW = """const SOUND = { pitches: [60], voicing: [60], bass: 36 }; sideman.desk.lay({ options: [[
  [0, 0.5, "Cm7b5"], [0.5, 1.5, "F#m7b5/C"], [2, 2, "Bb/D"], [4, 0.25, "C"], [4.25, 0.75, "E7"],
  [5, 1, "Asus2"], [6, 2, "Cmaj7/B"], [8, 2, "Cm(maj7)"], [10, 6, "Dm7"],
]].map((row) => ({
  chords: row.map(([onset, duration, symbol]) => ({ onset, duration, symbol, numeral: "I", ...SOUND })),
  score: 1, scores: {}, note_in_chord: 1, explanation: { keys: [], summary: "", tensions: [] },
})) })"""


@pytest.mark.parametrize("width", [1280, 360])
def test_narrow_chords_can_be_read(open_options: Open, width: int) -> None:
    page = open_options()
    page.set_viewport_size({"width": width, "height": 740})
    page.evaluate(NARROW)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate(CUT) == []


def test_on_a_phone_the_rows_come_into_sight_and_the_button_stays(open_options: Open) -> None:
    page = open_options(n=3)
    page.set_viewport_size({"width": 360, "height": 740})
    offer(page)
    page.wait_for_function("document.querySelector('.row').getBoundingClientRect().bottom < innerHeight")
    top = page.evaluate("document.querySelector('#offer').getBoundingClientRect().top")
    assert 0 <= top < 60, "it can be rolled again at once"
    page.wait_for_timeout(500)  # it scrolls softly
    page.evaluate("scrollBy({ top: 150, behavior: 'instant' })")
    before = page.evaluate("scrollY")
    page.evaluate("document.querySelector('#offer').click()")  # a click of the driver's may scroll by itself
    settled(page)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == before, "who looks at the rows is left alone"


def test_a_number_out_of_bounds_is_brought_within_and_that_is_said(open_options: Open, server: Any) -> None:
    page = open_options(n=1)
    page.fill("[data-setting=density]", "20")
    page.keyboard.press("Tab")
    assert page.input_value("[data-setting=density]") == "16"
    assert page.inner_text(".bounds") == "0.25 to 16"
    page.fill("[data-setting=density]", "12")
    page.keyboard.press("Tab")
    assert page.locator(".bounds").count() == 0
    offer(page)
    assert server.wait_for("options")["density"] == 12
