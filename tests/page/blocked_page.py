"""How exactly chords sound on a live audio clock while the page's main thread is blocked at random.

A chord a bar is struck by an organ twice a bar ("charleston"), short enough to be silent between; a worklet records the
chord channel of the mixer. The whole plan is there from the beginning, so nothing depends on how busy a server is.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from page_wakes import stall, watch

SETTINGS = {"tempo": 220, "listen": 0, "rhythm": "charleston", "chordInstrument": "organ", "metronome": False}
# Bars read at a time.
_BARS = 6

_RECORDER = """
registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([input]) {
    const loud = input.length > 0 && input[0].some((sample) => sample !== 0);
    if (loud) this.port.postMessage({ frame: currentFrame, samples: input[0].slice() });
    return true;
  }
});
"""

_RECORD = """async ([program, bars]) => {
  const { engine, jam } = sideman.app;
  jam.connection.close();
  const tones = [{ symbol: "C", pitches: [48, 52, 55], bass: 36 }, { symbol: "F", pitches: [53, 57, 48], bass: 41 }];
  const chord = (bar) => ({ ...tones[bar % 2], onset: 4 * bar, duration: 4, struck: true });
  const chords = Array.from({ length: bars + 1 }, (_, bar) => chord(bar));
  jam.plan.apply({ frame: 0, frames: 16 * chords.length, committed: 16 * chords.length, chords });
  await engine.ctx.audioWorklet.addModule(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
  const node = new AudioWorkletNode(engine.ctx, "recorder", { numberOfOutputs: 0 });
  window.heard = [];
  node.port.onmessage = ({ data }) => window.heard.push([data.frame, ...data.samples]);
  engine.mixer.channels.chords.connect(node);
  window.blocked = 0;
}"""

_BLOCK = """() => {
  const until = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
  setInterval(() => { if (Math.random() < 0.5) { until(80); window.blocked += 1; } }, 100);
}"""

_READ = """([first, bars]) => {
  const { stage, engine } = sideman.app;
  const rate = engine.ctx.sampleRate;
  const beats = Array.from({ length: 2 * bars }, (_, i) => 4 * (first + Math.floor(i / 2)) + 1.5 * (i % 2));
  const times = beats.map((beat) => stage.timeline.time(beat));
  const near = ([frame]) => times.some((time) => Math.abs(frame / rate - time) < 0.1);
  const found = { heard: heard.filter(near), rate, times, wakes, blocked, late: engine.scheduler.late };
  window.heard = [];
  return found;
}"""


@dataclass
class Found:
    """Milliseconds. `errors` of the sounded strikes (inf: one that cannot be told from what sounded before);
    `callbacks`: by how much each would have been late if it sounded when the page was next woken; `stall`: the longest
    time the page was not woken. `late`: strikes placed too late; `blocks`: how often the main thread was blocked."""

    errors: list[float] = field(default_factory=list)
    callbacks: list[float] = field(default_factory=list)
    stall: float = 0.0
    late: int = 0
    blocks: int = 0


def measure(page: Any, bars: int, blocked: bool = True) -> Found:
    """Jam for so many bars on an open page with SETTINGS."""
    found = Found()
    page.click("#play")
    page.wait_for_function("sideman.app.jam && sideman.app.engine.ctx.state === 'running'")
    page.evaluate(_RECORD, [_RECORDER, bars])
    page.wait_for_function("sideman.app.jam.beat > 2")
    page.evaluate("() => { sideman.app.engine.scheduler.late = 0; }")
    watch(page)
    if blocked:
        page.evaluate(_BLOCK)
    for first in range(1, bars + 1, _BARS):
        count = min(_BARS, bars + 1 - first)
        page.wait_for_function(f"sideman.app.jam.beat > {4 * (first + count) - 1}", timeout=60_000)
        heard = page.evaluate(_READ, [first, count])
        wakes = np.array(heard["wakes"])
        found.stall = max(found.stall, stall(page))
        found.late, found.blocks = heard["late"], heard["blocked"]
        for time in heard["times"]:
            found.errors.append(1000 * _onset_error(heard, time))
            found.callbacks.append(1000 * float(wakes[wakes >= time][:1].sum() - time))
    page.click("#play")
    return found


def _onset_error(found: dict[str, Any], expected: float) -> float:
    """Seconds from where a strike belongs to where its wave first passes a tenth of its height, nearby."""
    rate = found["rate"]
    first, last = int((expected - 0.012) * rate), int((expected + 0.06) * rate)
    wave = np.zeros(last - first)
    for frame, *samples in found["heard"]:
        start = frame - first
        if -len(samples) < start < len(wave):
            left, right = max(0, start), min(len(wave), start + len(samples))
            wave[left:right] = samples[left - start : right - start]
    level = np.abs(wave)
    loud = np.flatnonzero(level > 0.1 * level.max())
    quiet_before = level[: int(0.006 * rate)].max() < 0.1 * level.max()
    return float((first + loud[0]) / rate - expected) if quiet_before else float("inf")
