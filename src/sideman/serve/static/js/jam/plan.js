/**
 * The chords of a jam: what has sounded, what is promised, what is only likely. Pure state, times in beats. A melody is
 * a plan as well, of chords of one tone.
 *
 * A chord here is {onset, duration, symbol, pitches, bass, heard, dress}; `heard`: it is the player's own; `dress`
 * (voicing, strikes) is put on by the owner and kept while the chord goes on. Chords never overlap and are sorted. What has begun is never rewritten.
 */
const FRAME = 0.25;
const LONGEST_WAIT = 8; // beats that a chord goes on for want of a plan
const EPSILON = 1e-6;

export class Plan {
  /** `dress(chord, previousDress)` -> the chord's dress. */
  constructor(dress) {
    this.dressUp = dress;
    this.chords = [];
    this.intro = [];
    this.committedUntil = 0;
    this.plannedUntil = 0;
  }

  /** Replaces everything from the message's frame on, but nothing before beat `earliest`. */
  apply({ frame, frames, committed, chords }, earliest = -Infinity) {
    const from = Math.max(frame * FRAME, Math.ceil(earliest / FRAME - EPSILON) * FRAME);
    this.cut(from);
    for (const chord of chords) this.#add(chord, from);
    this.committedUntil = (frame + committed) * FRAME;
    this.plannedUntil = (frame + frames) * FRAME;
  }

  /** Where the plan ends too early, the chord at its very end goes on to `beat`; the server takes it so, too. */
  prolong(beat) {
    const last = this.chords.at(-1);
    if (!last || beat <= this.plannedUntil || last.onset + last.duration < this.plannedUntil - EPSILON) return;
    const end = Math.min(beat, this.plannedUntil + LONGEST_WAIT);
    last.duration = Math.max(last.duration, end - last.onset);
  }

  /** Forgets everything planned from a beat on. */
  cut(beat) {
    this.chords = this.chords.filter((chord) => chord.onset < beat - EPSILON);
    const last = this.chords.at(-1);
    if (last) last.duration = Math.min(last.duration, beat - last.onset);
  }

  /** Dresses anew what has not begun by `beat` (voicing or rhythm was changed). */
  redress(beat) {
    for (const [i, chord] of this.chords.entries())
      if (chord.onset > beat) chord.dress = this.dressUp(chord, this.chords[i - 1]?.dress ?? null);
  }

  /** Chords that overlap [from, to). */
  between(from, to) {
    const { chords } = this;
    let first = chords.length;
    while (first > 0 && chords[first - 1].onset + chords[first - 1].duration > from) first -= 1;
    return chords.slice(first).filter((chord) => chord.onset < to);
  }

  at(beat) {
    return this.between(beat, beat + EPSILON)[0] ?? null;
  }

  /** The next chord that begins after `beat`. */
  after(beat) {
    return this.chords.find((chord) => chord.onset > beat) ?? null;
  }

  /** What has begun by `beat`, as plain data, the last one cut there. */
  history(beat) {
    return this.chords
      .filter((chord) => chord.onset < beat - EPSILON)
      .map(({ onset, duration, symbol, pitches, bass }) => ({
        onset,
        duration: Math.min(duration, beat - onset),
        symbol,
        pitches,
        bass,
      }));
  }

  #add({ onset, duration, symbol, pitches, bass, struck, heard = false }, from) {
    const end = onset + duration;
    if (end <= from + EPSILON) return;
    const last = this.chords.at(-1);
    const touches = last && last.onset + last.duration > Math.max(onset, from) - EPSILON;
    const same = last?.symbol === symbol && last.heard === heard;
    const goesOn = touches && same && (!struck || onset < from - EPSILON);
    if (goesOn) {
      last.duration = end - last.onset;
      return;
    }
    const start = Math.max(onset, from);
    const chord = { onset: start, duration: end - start, symbol, pitches, bass: bass ?? null, heard, dress: null };
    chord.dress = this.dressUp(chord, last?.dress ?? null);
    this.chords.push(chord);
  }
}
