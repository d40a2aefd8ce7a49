"""How exactly chords sound on a live audio clock while the page's main thread is blocked at random."""

from collections.abc import Callable
from typing import Any

import numpy as np

# An organ strikes twice a bar, short enough to be silent between; a worklet records the chord channel of the mixer.
RECORDER = """
registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([input]) {
    const loud = input.length > 0 && input[0].some((sample) => sample !== 0);
    if (loud) this.port.postMessage({ frame: currentFrame, samples: input[0].slice() });
    return true;
  }
});
"""

BLOCK = """() => {
  const until = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
  window.blocked = 0;
  window.blocking = setInterval(() => { if (Math.random() < 0.5) { until(80); window.blocked += 1; } }, 100);
}"""

RECORD = """async (program) => {
  const { engine } = sideman.app;
  await engine.ctx.audioWorklet.addModule(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
  const node = new AudioWorkletNode(engine.ctx, "recorder", { numberOfOutputs: 0 });
  window.heard = [];
  node.port.onmessage = ({ data }) => window.heard.push([data.frame, ...data.samples]);
  engine.mixer.channels.chords.connect(node);
}"""

RESULT = """() => {
  clearInterval(blocking);
  const { stage, engine } = sideman.app;
  const rate = engine.ctx.sampleRate;
  const beats = Array.from({ length: 12 }, (_, i) => 4 + 4 * Math.floor(i / 2) + 1.5 * (i % 2));
  const times = beats.map((beat) => stage.timeline.time(beat));
  const near = ([frame]) => times.some((time) => Math.abs(frame / rate - time) < 0.1);
  return { heard: heard.filter(near), blocked, late: engine.scheduler.late, rate, times };
}"""


def test_blocking_the_main_thread_moves_no_chord(open_page: Callable[..., Any]) -> None:
    chosen = {"tempo": 220, "listen": 0, "rhythm": "charleston", "chordInstrument": "organ", "metronome": False}
    page = open_page(settings=chosen)
    page.click("#play")
    page.evaluate(RECORD, RECORDER)
    page.wait_for_function("sideman.app.jam && sideman.app.jam.beat > 3")  # the first plan has come
    page.evaluate("sideman.app.engine.scheduler.late = 0")
    page.evaluate(BLOCK)
    page.wait_for_function("sideman.app.jam && sideman.app.jam.beat > 27", timeout=30_000)
    found = page.evaluate(RESULT)
    errors = np.array([onset_error(found, beat) for beat in found["times"]]) * 1000
    p50, p99 = np.percentile(np.abs(errors), (50, 99))
    print(f"scheduling error: p50 {p50:.2f} ms, p99 {p99:.2f} ms; {found['blocked']} blocks")
    assert found["blocked"] > 15
    assert found["late"] == 0
    assert p99 < 3


def onset_error(found: dict[str, Any], expected: float) -> float:
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
    assert quiet_before, "the strike before has ended"
    return float((first + loud[0]) / rate - expected)
