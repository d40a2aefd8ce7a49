"""Web MIDI with ports of our own making: any channel in, stamped ahead out, plugs pulled while playing."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from page_wakes import calmly, stall, watch

Open = Callable[..., Any]

PORTS = """
(() => {
  const port = (id, type, name) => ({
    id, type, name, state: "connected", onmidimessage: null, sent: [],
    send(data, time) {
      if (this.state !== "connected") throw new DOMException("gone");
      this.sent.push([performance.now(), time, ...data]);
    },
  });
  const access = { inputs: new Map(), outputs: new Map(), onstatechange: null };
  for (const [id, type, name] of [["in1", "input", "Keys"], ["in2", "input", "Pads"], ["out1", "output", "Synth"]])
    access[type + "s"].set(id, port(id, type, name));
  window.ports = access;
  window.midi = (id, ...data) => access.inputs.get(id).onmidimessage?.({ data, timeStamp: performance.now() });
  window.plug = (id, state) => {
    for (const ports of [access.inputs, access.outputs]) if (ports.has(id)) ports.get(id).state = state;
    access.onstatechange?.({});
  };
  navigator.requestMIDIAccess = async () => access;
})();
"""
FAST = {"tempo": 240, "listen": 1, "metronome": False}


def start(open_page: Open, **settings: Any) -> Any:
    page = open_page(init=PORTS, settings=FAST | settings)
    page.click("#play")
    page.wait_for_function("sideman.app.jam && sideman.app.jam.beat >= 0.1")
    return page


def down(page: Any) -> list[int]:
    return sorted(page.evaluate("[...sideman.app.down]"))


def test_keys_of_any_channel_play_with_their_velocity_and_pedal(open_page: Open, server: Any) -> None:
    page = start(open_page)
    page.evaluate(
        "midi('in1', 0x90, 60, 100); midi('in2', 0x9f, 64, 33); midi('in1', 0xb3, 64, 127); midi('in1', 0xb3, 64, 90)"
    )
    assert down(page) == [60, 64]
    page.evaluate("midi('in1', 0x90, 60, 0); midi('in2', 0x8f, 64, 0)")
    assert down(page) == []
    assert page.evaluate("sideman.app.engine.sustained.length") == 2, "the pedal holds the sound"
    page.evaluate("midi('in1', 0xb3, 64, 0)")
    assert page.evaluate("sideman.app.engine.sustained.length") == 0
    page.wait_for_function("sideman.app.jam.beat > 2")
    page.click("#play")
    page.wait_for_function("sideman.app.phase === 'idle'")
    notes = [note for message in server.of_type("notes") for note in message["notes"]]
    assert [(note["pitch"], note["velocity"]) for note in notes if note["on"]] == [(60, 100), (64, 33)]
    pedals = [pedal["down"] for message in server.of_type("notes") for pedal in message["pedal"]]
    assert pedals == [True, False]


def test_one_keyboard_can_be_chosen(open_page: Open) -> None:
    page = start(open_page)
    assert "Pads" in page.inner_text("[data-setting=midiIn]")
    page.select_option("[data-setting=midiIn]", "in2")
    page.evaluate("midi('in1', 0x90, 60, 100); midi('in2', 0x90, 62, 100)")
    assert down(page) == [62]


def test_a_keyboard_unplugged_while_playing_lifts_its_keys_and_may_come_back(open_page: Open) -> None:
    page = start(open_page)
    page.evaluate("midi('in1', 0x90, 60, 100); midi('in2', 0x90, 67, 100)")
    page.evaluate("plug('in1', 'disconnected')")
    assert down(page) == [67]
    assert '"Keys" was unplugged' in page.inner_text("#notice")
    page.evaluate("plug('in1', 'connected'); midi('in1', 0x90, 72, 90)")
    assert down(page) == [67, 72]
    assert page.evaluate("sideman.app.jam.performance.notes.length") == 3, "nothing played is lost"


def test_chords_go_out_ahead_of_time_and_end(open_page: Open) -> None:
    def attempt() -> tuple[list[list[float]], float]:
        page = start(open_page, midiOut="out1", midiOutChannel=3, rhythm="beats", chordInstrument="none")
        watch(page)
        page.wait_for_function("sideman.app.jam.beat > 6")
        page.click("#play")
        sent = page.evaluate("ports.outputs.get('out1').sent")
        stalled = stall(page)
        page.close()
        return sent, stalled

    sent = calmly(attempt, limit=100)
    assert len(sent) > 20
    ons = [row for row in sent if row[2] == 0x92]
    offs = [row for row in sent if row[2] == 0x82]
    assert len(ons) >= 16
    ahead = [time - at for at, time, *_ in ons]
    assert min(ahead) > 20, "every note is stamped ahead"
    assert max(ahead) < 300
    times = sorted({round(row[1]) for row in ons})
    gaps = [b - a for a, b in itertools.pairwise(times) if b - a > 20]
    assert np.median(np.abs(np.array(gaps) - 250)) < 8, gaps
    for _, time, _, pitch, _ in ons:
        assert any(off[3] == pitch and off[1] > time for off in offs), f"{pitch} never ends"


def test_an_output_unplugged_while_playing_harms_nothing(open_page: Open) -> None:
    page = start(open_page, midiOut="out1")
    page.wait_for_function("sideman.app.jam.beat > 2")
    page.evaluate("plug('out1', 'disconnected')")
    page.wait_for_function("sideman.app.jam.beat > 4")
    assert page.evaluate("sideman.app.engine.midiOut.port") is None
    assert page.evaluate("sideman.app.jam.plan.chords.length") > 1


def test_panic_reaches_the_synthesizer(open_page: Open) -> None:
    page = start(open_page, midiOut="out1")
    page.wait_for_function("sideman.app.jam.beat > 2")
    page.evaluate("midi('in1', 0x90, 60, 100)")
    page.keyboard.press("Escape")
    assert page.evaluate("sideman.app.jam.performance.held.size") == 0, "no key is thought to be down for ever"
    assert [0xB0, 123, 0] in [row[2:] for row in page.evaluate("ports.outputs.get('out1').sent")]


def test_no_midi_at_all_is_said_in_one_line(open_page: Open) -> None:
    page = open_page(init="navigator.requestMIDIAccess = () => Promise.reject(new Error('no'));")
    page.click("#midi-connect")
    page.wait_for_selector("#notice:not([hidden])")
    assert "MIDI" in page.inner_text("#notice")
