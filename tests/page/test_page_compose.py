"""The page that writes: what is asked of the server, the score that grows, playing, editing, keeping, taking along."""

from collections.abc import Callable
from typing import Any

import pytest
from jam_server import until
from test_page_access import NAMELESS, OUTSIDE

Open = Callable[..., Any]

MENU = "(name) => [...document.querySelectorAll(`[data-setting=${name}] option`)].map((each) => each.textContent)"
CURSOR = "(({ x, y }) => [x, y])(document.querySelector('.cursor').getBoundingClientRect())"


@pytest.fixture
def open_compose(open_page: Open) -> Open:
    """Opens the page with settings of the form."""

    def open_it(**settings: Any) -> Any:
        return open_page(path="compose", settings=settings)

    return open_it


def write(page: Any, bars: int) -> None:
    """Has a piece written and drawn."""
    page.click("#write")
    page.wait_for_function(f"sideman.studio.phase === 'idle' && sideman.sheet.bars.length === {bars}")


def texts(page: Any, selector: str) -> list[str]:
    found: list[str] = page.locator(selector).all_inner_texts()
    return found


def test_only_prompts_that_the_model_knows_can_be_chosen(open_compose: Open, server: Any) -> None:
    page = open_compose(bars=2)
    assert page.evaluate(MENU, "period") == ["Any", "Classical", "Romantic"]
    assert page.is_disabled("[data-setting=composer]")
    page.select_option("[data-setting=period]", "Romantic")
    assert page.evaluate(MENU, "composer") == ["Schubert, Franz", "Schumann, Clara"]
    assert page.evaluate(MENU, "instrumentation") == ["Art Song", "Chamber"]
    page.select_option("[data-setting=instrumentation]", "Chamber")
    page.select_option("[data-setting=composer]", "Schumann, Clara")
    assert page.input_value("[data-setting=instrumentation]") == "Art_Song", "she has written no Chamber here"
    page.select_option("[data-setting=period]", "Classical")
    write(page, 2)
    asked = server.of_type("compose")[-1]
    prompt = [asked[name] for name in ("period", "composer", "instrumentation")]
    assert prompt == ["Classical", "Haydn, Joseph", "Chamber"]
    page.select_option("[data-setting=model]", "plain")
    assert page.evaluate(MENU, "period") == ["Any"], "it takes no prompts"
    write(page, 2)
    assert "period" not in server.of_type("compose")[-1]


def test_a_piece_is_written_drawn_and_kept(open_compose: Open, server: Any) -> None:
    page = open_compose(bars=20, key="Bb", meter="3/4", tempo=90, temperature=0.9)
    page.click("#dice")
    seed = int(page.input_value("#seed"))
    write(page, 20)
    asked = server.of_type("compose")[-1]
    del asked["type"]
    assert asked == {"bars": 20, "key": "Bb", "meter": "3/4", "tempo": 90, "temperature": 0.9, "seed": seed}
    assert page.locator(".page").count() == 3
    assert [int(bar) for bar in page.evaluate("sideman.sheet.bars.map((bar) => bar.dataset.bar)")] == list(range(20))
    drawn = [ask for ask in server.of_type("score") if ask["format"] == "svg"]
    assert all(300 <= ask["width"] <= 1280 for ask in drawn)
    assert page.evaluate("window.trapped") is None, "nothing in a drawing runs"
    assert page.locator(".page script, .page image, .page [onload]").count() == 0
    assert page.inner_text("#score-title") == "Piece in G"
    assert page.inner_text("#facts") == f"20 bars · 4/4 · G / Em · seed {seed}"
    page.reload()
    page.wait_for_function("window.sideman?.sheet.bars.length === 20")
    assert page.input_value("#abc").count("\n[V:1]") == 20
    assert page.input_value("[data-setting=tempo]") == "90"


def test_there_it_is_is_not_said_before_it_is_there(open_compose: Open) -> None:
    page = open_compose(bars=1)
    page.evaluate(
        """() => {
          const phase = document.querySelector("#phase");
          window.said = [];
          new MutationObserver(() => window.said.push([phase.textContent, document.querySelectorAll(".page").length]))
            .observe(phase, { childList: true, characterData: true, subtree: true });
        }"""
    )
    write(page, 1)
    page.wait_for_function("window.said.at(-1)[0] === 'There it is.'")
    assert {pages for text, pages in page.evaluate("window.said") if text == "There it is."} == {1}


def test_the_score_grows_while_it_is_written_and_stop_keeps_the_whole_bars(open_compose: Open, server: Any) -> None:
    page = open_compose(seed=14)
    page.click("#write")
    page.wait_for_function("document.getElementById('abc').value.endsWith('half a b')")
    page.wait_for_function("sideman.sheet.bars.length === 3")
    assert page.inner_text("#write") == "Stop"
    assert page.inner_text("#phase") == "Writing bar 4."
    assert page.inner_text("#facts") == "3 of 16 bars · sheet · seed 14"
    assert page.evaluate("document.getElementById('abc').readOnly")
    assert page.is_disabled("#listen")
    page.click("#write")
    server.wait_for("left")
    page.wait_for_function("sideman.studio.phase === 'idle' && sideman.sheet.bars.length === 3")
    assert page.input_value("#abc").endswith("[V:2]C,8|\n")
    assert page.locator(".pieces .take").count() == 1
    assert page.is_hidden("#notice")


def test_what_goes_wrong_is_told_and_nothing_is_lost(open_compose: Open) -> None:
    page = open_compose(seed=13)
    write(page, 3)
    assert page.inner_text("#notice") == "The pen broke. Write again."
    page.evaluate("sideman.settings.set('bars', 250)")
    page.click("#write")
    page.wait_for_function("document.getElementById('notice').textContent.startsWith('bars is 250')")
    page.wait_for_function("sideman.sheet.bars.length === 3")  # the piece before is drawn again
    page.evaluate("sideman.settings.set('bars', 2); sideman.settings.set('seed', 15)")
    page.click("#write")
    page.wait_for_function("document.getElementById('phase').textContent === '2 pieces are before yours.'")
    page.wait_for_function("sideman.sheet.bars.length === 2")
    assert page.is_hidden("#notice")


def test_playing_moves_the_cursor_and_ends(open_compose: Open) -> None:
    page = open_compose(bars=6)
    write(page, 6)
    page.click("#listen")
    page.wait_for_function("sideman.player.position > 0.1")
    page.wait_for_selector(".cursor:not([hidden])")
    first = page.evaluate(CURSOR)
    page.wait_for_function("sideman.player.position > 0.9")
    assert page.evaluate(CURSOR)[0] > first[0]
    page.wait_for_selector("#n2.sounding, #n3.sounding")
    assert page.locator(".sounding").count() == 1
    assert page.inner_text("#bar").endswith("of 6")
    page.wait_for_function("sideman.player.position > 1.7")
    page.wait_for_function(f"{CURSOR}[1] > {first[1]}")  # the second line
    page.wait_for_function("sideman.player.source === null")
    page.wait_for_selector(".cursor", state="hidden")
    assert page.locator(".sounding").count() == 0


def test_a_pickup_is_no_bar(open_compose: Open, server: Any) -> None:
    page = open_compose(bars=6)
    write(page, 6)
    page.evaluate("document.querySelectorAll('.measure').forEach(({ dataset }) => (dataset.number = dataset.bar))")
    page.locator(".measure[data-bar='4']").click(force=True)
    assert (page.input_value("#keep"), page.get_attribute("#keep", "max")) == ("4", "5")
    page.click("#listen")
    page.wait_for_function("sideman.player.position > 1.8")
    assert page.inner_text("#bar") == "Bar 4 of 5"
    page.click("#listen")
    page.click("#go-on button")
    until(lambda: len(server.of_type("compose")) == 2 or page.wait_for_timeout(50))
    assert server.of_type("compose")[-1]["begin"].count("\n[V:1]") == 5, "the pickup and four bars"


def test_a_bar_is_chosen_by_mouse_or_keys_and_played_from(open_compose: Open) -> None:
    page = open_compose(bars=6)
    write(page, 6)
    page.locator(".measure[data-bar='4']").click(force=True)
    assert page.evaluate("sideman.sheet.chosen") == 4
    assert page.input_value("#keep") == "5"
    page.focus("#sheet")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.wait_for_function("sideman.player.position > 1.1")
    assert page.evaluate("sideman.player.source.notes.length") == 3, "from bar 4 on"
    page.keyboard.press("Space")
    page.wait_for_function("sideman.player.source === null")
    page.keyboard.press("Escape")
    assert page.evaluate("sideman.sheet.chosen") is None


def test_the_text_can_be_changed_and_what_is_wrong_is_said_beside_it(open_compose: Open) -> None:
    page = open_compose(bars=3)
    write(page, 3)
    written = page.input_value("#abc")
    page.fill("#abc", written.replace("K:G", "K:H"))
    page.wait_for_selector("#abc-error:not([hidden])")
    assert page.inner_text("#abc-error") == "Line 6: 'K:H' is no key. Write one like G, Bbm or F#m."
    assert page.get_attribute("#abc", "aria-invalid") == "true"
    assert page.evaluate("sideman.sheet.bars.length") == 3, "the last good drawing stays"
    page.fill("#abc", written + "[V:1]G8|[V:2]C,8|\n")
    page.wait_for_function("sideman.sheet.bars.length === 4")
    assert page.is_hidden("#abc-error")
    assert "edited" in page.inner_text("#facts")
    page.reload()
    page.wait_for_function("window.sideman?.sheet.bars.length === 4")
    page.click("#abc-back")
    page.wait_for_function("sideman.sheet.bars.length === 3")
    assert page.input_value("#abc") == written
    assert page.is_hidden("#abc-back")


def test_writing_on_from_a_bar_keeps_those_before(open_compose: Open, server: Any) -> None:
    page = open_compose(bars=6, key="G", temperature=1)
    write(page, 6)
    page.locator(".measure[data-bar='1']").click(force=True)
    assert page.input_value("#more") == "4", "as long as it was"
    page.fill("#more", "5")
    page.click("#go-on button")
    page.wait_for_function("sideman.studio.phase === 'idle' && sideman.sheet.bars.length === 7")
    asked = server.of_type("compose")[-1]
    assert asked["bars"] == 7
    assert "key" not in asked, "the header says it"
    assert asked["begin"].count("[V:1]") == 2
    assert "K:G" in asked["begin"]
    assert page.locator(".pieces .take").count() == 2


def test_every_format_can_be_taken_along(open_compose: Open, server: Any) -> None:
    page = open_compose(bars=9)
    write(page, 9)
    for kind, label in (
        ("pdf", "PDF"),
        ("musicxml", "MusicXML"),
        ("midi", "MIDI"),
        ("wav", "WAV"),
        ("mp3", "MP3"),
        ("abc", "ABC"),
    ):
        with page.expect_download() as download:
            page.click(f"#files >> text={label}")
        ending = {"midi": "mid"}.get(kind, kind)
        assert download.value.suggested_filename == f"Piece in G.{ending}"
        assert server.of_type("score")[-1]["format"] == kind
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    page.click("#files >> text='SVG'")
    until(lambda: names == ["Piece in G 1.svg", "Piece in G 2.svg"] or page.wait_for_timeout(50))


def test_pieces_are_opened_deleted_and_their_settings_taken(open_compose: Open) -> None:
    page = open_compose(bars=2, seed=1)
    write(page, 2)
    page.evaluate("sideman.settings.set('bars', 3); sideman.settings.set('seed', 2)")
    write(page, 3)
    assert [text.split(" · ")[3] for text in texts(page, ".pieces .take-name .soft")] == ["seed 2", "seed 1"]
    page.click(".pieces .take:nth-child(2) >> text=Open")
    page.wait_for_function("sideman.sheet.bars.length === 2")
    page.click(".pieces .take:nth-child(2) >> text=Take its settings")
    assert (page.input_value("[data-setting=bars]"), page.input_value("#seed")) == ("2", "1")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(".pieces .take:nth-child(2) >> text=Delete")
    page.wait_for_function("sideman.studio.piece === null && sideman.sheet.bars.length === 0")
    assert page.input_value("#abc") == ""
    assert page.locator(".pieces .take").count() == 1


def test_without_the_engraver_text_sound_and_files_remain(open_compose: Open) -> None:
    page = open_compose(bars=3)
    error = {"code": "missing_extra", "message": "Drawing a score needs verovio.", "hint": "Install sideman[score]."}

    def refuse(route: Any) -> None:
        if route.request.post_data_json["format"] == "svg":
            route.fulfill(status=501, json={"error": error})
        else:
            route.continue_()

    page.route("**/v1/score", refuse)
    page.click("#write")
    page.wait_for_selector("#no-engraver:not([hidden])")
    page.wait_for_function("sideman.studio.phase === 'idle'")
    assert page.inner_text("#no-engraver-why") == "Drawing a score needs verovio. Install sideman[score]."
    assert page.input_value("#abc").count("\n[V:1]") == 3
    assert page.is_disabled("[data-file=pdf]")
    assert page.is_enabled("[data-file=musicxml]")
    page.click("#listen")
    page.wait_for_function("sideman.player.position > 0.5")
    assert page.inner_text("#bar") == "Bar 2 of 3"


def test_it_is_used_without_a_mouse(open_compose: Open) -> None:
    page = open_compose(bars=2)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "write"
    page.keyboard.press("Enter")
    page.wait_for_function("sideman.studio.phase === 'idle' && sideman.sheet.bars.length === 2")
    assert page.evaluate("document.activeElement.id") == "write", "the focus stays where it was"
    assert page.evaluate(NAMELESS) == [], "every control has a name"


def test_nothing_is_cut_off_on_any_screen(open_compose: Open) -> None:
    page = open_compose(bars=4)
    write(page, 4)
    for width, height in ((360, 740), (740, 360), (768, 1024), (1280, 800), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(OUTSIDE) == [], width
        assert page.locator("#write").bounding_box()["height"] >= 44


def test_the_pages_lead_to_each_other_with_the_token(open_page: Open) -> None:
    page = open_page(path="?token=s3cret")
    page.click("text=Compose")
    page.wait_for_function("window.sideman?.studio")
    assert page.url.endswith("/compose?token=s3cret")
    page.click("text=Options")
    page.wait_for_function("window.sideman?.desk")
    assert page.url.endswith("/options?token=s3cret")
    page.click("text=Jam")
    page.wait_for_function("window.sideman?.app")
    assert page.url.endswith("/?token=s3cret")


PLACES = """async () => {
  const { placeAt } = await import("/static/js/compose/cursor.js");
  const entry = (start, x, top) => ({ start, x, top, bottom: top + 50, right: 100 });
  const entries = [entry(0, 10, 0), entry(1, 40, 0), entry(2, 20, 80), entry(3, 10, 0)];
  return [-1, 0.5, 1.5, 2.5, 3.5, 9].map((second) => placeAt(entries, second, 4)).map(({ x, top }) => [x, top]);
}"""


def test_the_cursor_goes_to_the_next_note_or_to_the_end_of_its_line(bench: Any) -> None:
    # Before the first; between two; at a line's end; at a repeat's; at the last; after it.
    assert bench.evaluate(PLACES) == [[10, 0], [25, 0], [70, 0], [60, 80], [55, 0], [100, 0]]


BEGINNINGS = """async () => {
  const { beginning, field, split, wholeLines } = await import("/static/js/compose/sheet-text.js");
  const abc = "X:1\\nM:3/4\\nK:Bb\\nV:1\\n[r:0/1][V:1]B6|\\n[r:1/0][V:1]z6|]\\n";
  const fields = [field(abc, "K"), field(abc, "Q")];
  return [beginning(abc, 1), split(abc).bars.length, ...fields, wholeLines("a\\nb"), wholeLines("a")];
}"""


def test_a_text_is_cut_after_whole_bars(bench: Any) -> None:
    kept = "X:1\nM:3/4\nK:Bb\nV:1\n[r:0/1][V:1]B6|\n"
    assert bench.evaluate(BEGINNINGS) == [kept, 2, "Bb", "", "a\n", ""]
