/**
 * A melody that the partner plays, as a plan of chords of one tone. Pure state, times in beats.
 */
import { Plan } from "./plan.js";

export class Lead extends Plan {
  constructor() {
    super(({ pitches }) => ({ voiced: { bass: null, upper: pitches }, rhythm: "held" }));
  }

  /** `notes` as a plan message has them. */
  applyNotes({ frame, frames, committed, notes }, earliest) {
    const chords = notes.map(({ pitch, ...note }) => ({ ...note, symbol: String(pitch), pitches: [pitch], bass: null }));
    this.apply({ frame, frames, committed, chords }, earliest);
  }

  /** What has begun by `beat`, as notes {onset, duration, pitch}. */
  notes(beat) {
    return this.history(beat).map(({ onset, duration, pitches }) => ({ onset, duration, pitch: pitches[0] }));
  }
}
