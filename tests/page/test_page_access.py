"""Everybody can use the page: names, keys, contrast, small and large screens, less motion, no remote asset."""

import itertools
from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]

NAMELESS = """() => [...document.querySelectorAll("button, input, select, canvas[tabindex]")].filter((control) => {
  const label = control.labels?.[0]?.textContent.trim();
  return !(control.getAttribute("aria-label") || control.textContent.trim() || label);
}).map((control) => control.outerHTML)"""

OUTSIDE = """() => [...document.querySelectorAll("button, input, select, output, h1, h2, legend")].filter((part) => {
  const { left, right, width } = part.getBoundingClientRect();
  return width > 0 && (left < -0.5 || right > innerWidth + 0.5);
}).map((part) => part.outerHTML)"""

SPOIL = """() => {
  const stored = JSON.parse(localStorage.getItem("sideman.settings.1"));
  localStorage.setItem("sideman.settings.1", JSON.stringify({ ...stored, listen: "x", commit: 99, nonsense: 1 }));
}"""


def test_it_loads_from_its_own_origin_alone_and_names_its_controls(open_page: Open, server: Any) -> None:
    page = open_page()
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(asked) > 20
    assert all(url.startswith(server.url) for url in asked)
    assert page.evaluate(NAMELESS) == [], "every control has a name"


def test_the_first_stop_of_the_tab_key_leads_to_play_which_starts_and_stops(open_page: Open) -> None:
    page = open_page(settings={"tempo": 20})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "play"
    page.keyboard.press("Enter")
    page.wait_for_function("sideman.app.phase === 'count-in'")
    page.keyboard.press("Enter")
    page.wait_for_function("sideman.app.phase === 'idle'")


def test_letters_typed_into_fields_play_nothing(open_page: Open) -> None:
    page = open_page()
    page.click(".stepper input")
    page.keyboard.press("a")
    assert page.evaluate("sideman.app.engine") is None


def test_nothing_is_cut_off_on_any_screen(open_page: Open) -> None:
    page = open_page()
    for width, height in ((360, 740), (740, 360), (768, 1024), (1280, 800), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.evaluate(OUTSIDE) == [], width
        play, keys = page.locator("#play").bounding_box(), page.locator("#keys").bounding_box()
        assert play["height"] >= 44
        assert keys["y"] + keys["height"] <= height, "the piano is in view without scrolling"


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_stands_out_from_its_ground(open_page: Open) -> None:
    page = open_page()
    read = "(name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"

    def contrast(text: str, ground: str) -> float:
        a, b = sorted((luminance(expand(page.evaluate(read, name))) for name in (text, ground)), reverse=True)
        return (a + 0.05) / (b + 0.05)

    pairs = [*itertools.product(("ink", "soft"), ("ground", "panel", "band-faint")), ("trouble", "trouble-ground")]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for text, ground in [*pairs, ("band-ink", "band"), ("band", "panel"), ("band", "ground")]:
            assert contrast(text, ground) >= 4.5, f"{scheme}: {text} on {ground}"
        assert contrast("player", "panel") >= 3


def expand(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])


def test_chords_are_spoken_only_when_asked(open_page: Open) -> None:
    page = open_page(settings={"tempo": 300, "listen": 0, "metronome": False})
    page.click("#play")
    page.wait_for_function("sideman.app.jam?.beat > 0.5 && document.getElementById('now').textContent === 'C'")
    assert page.text_content("#spoken") == ""
    page.evaluate("sideman.settings.set('announce', true)")
    page.wait_for_function("document.getElementById('spoken').textContent === 'A minor 7'")
    page.click("#play")


def test_settings_stay_and_wrong_ones_are_brought_to_sense(open_page: Open) -> None:
    page = open_page()
    page.fill(".stepper input", "9999")
    page.keyboard.press("Tab")
    assert page.input_value(".stepper input") == "300"
    page.select_option("[data-setting=voicing]", "open")
    page.evaluate(SPOIL)
    page.reload()
    page.wait_for_function("window.sideman")
    assert page.input_value("[data-setting=voicing]") == "open"
    assert page.evaluate("['tempo', 'listen', 'commit'].map((name) => sideman.settings.get(name))") == [300, 8, 4]
