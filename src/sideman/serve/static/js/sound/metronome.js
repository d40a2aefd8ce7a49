/**
 * The metronome as a source of the scheduler.
 */
import { barBeats, pulseBeats } from "../music/metre.js";

const GRID_16 = 0.25;
const TAIL = 0.7; // seconds until the longest of its sounds is over

/** `settings()` -> {on, grid: "1/4" | "1/16"}; the count-in (before beat 0) always clicks. */
export class MetronomeSource {
  constructor(timeline, meter, settings) {
    this.timeline = timeline;
    this.meter = meter;
    this.settings = settings;
  }

  events(from, to) {
    const { on, grid } = this.settings();
    const pulse = pulseBeats(this.meter);
    const bar = barBeats(this.meter);
    const step = grid === "1/16" ? GRID_16 : pulse;
    const events = [];
    const first = Math.max(-bar, this.timeline.beat(from - TAIL));
    const last = this.timeline.beat(to);
    for (let i = Math.ceil(first / step - 1e-6); i * step < last; i += 1) {
      const beat = i * step;
      if (!on && beat >= 0) break;
      const at = this.timeline.time(beat);
      events.push({ key: `click ${i} ${step}`, at, until: at + TAIL, part: "click", pitches: [rank(beat, bar, pulse)], velocity: 100 });
    }
    return events;
  }
}

function rank(beat, bar, pulse) {
  const on = (length) => Math.abs(beat / length - Math.round(beat / length)) < 1e-6;
  if (on(bar)) return 0;
  return on(pulse) ? 1 : 2;
}
