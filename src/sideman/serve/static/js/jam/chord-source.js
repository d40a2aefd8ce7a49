/**
 * A plan as a source of the scheduler: each chord's strikes at their audio times.
 */
import { strikes } from "../music/comping.js";

const CHORD_VELOCITY = 84;

export class ChordSource {
  /** `part`: whose hands play it. */
  constructor(timeline, plan, meter, part = "chords") {
    this.timeline = timeline;
    this.plan = plan;
    this.meter = meter;
    this.part = part;
  }

  events(from, to) {
    const { timeline } = this;
    const first = timeline.beat(from);
    const last = timeline.beat(to);
    return this.plan.between(first, last).flatMap((chord) =>
      strikesOf(chord, this.meter)
        .filter((strike) => strike.end > first && strike.onset < last)
        .map((strike) => ({
          key: `${chord.onset} ${strike.onset} ${strike.pitches}`,
          at: timeline.time(strike.onset),
          until: timeline.time(strike.end),
          part: this.part,
          pitches: strike.pitches,
          velocity: Math.round(CHORD_VELOCITY * strike.force),
        })),
    );
  }
}

/** The strikes of a dressed chord. */
export function strikesOf(chord, meter) {
  return strikes(chord, chord.dress.voiced, meter, chord.dress.rhythm);
}
