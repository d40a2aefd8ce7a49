/**
 * The takes: what was played, kept in this browser until the player deletes it.
 *
 * A take is {id, title, startedAt, tempo, tempos, meter, listen, model, session, notes, chords}, times in beats from its first
 * bar line; notes {onset, duration, pitch, velocity}, chords {onset, duration, symbol, pitches, bass}. Each take has a
 * key of its own, so two tabs do not overwrite one another. Emits "change".
 */
import { barBeats, parseMeter } from "../music/metre.js";

const PREFIX = "sideman.take.";

export class Takes extends EventTarget {
  constructor(storage = localStorage) {
    super();
    this.storage = storage;
    this.unsaved = new Map(); // takes the browser would not store stay in memory
    addEventListener("storage", ({ key }) => {
      if (key === null || key.startsWith(PREFIX)) this.#changed();
    });
  }

  /** Newest first. */
  list() {
    const keys = Object.keys(this.storage).filter((key) => key.startsWith(PREFIX));
    const stored = keys.map((key) => this.#read(key)).filter(Boolean);
    return [...stored, ...this.unsaved.values()].sort((a, b) => b.startedAt - a.startedAt);
  }

  /** Keeps a take (again); false if it can only be kept until the page is closed. */
  keep(take) {
    try {
      this.storage.setItem(PREFIX + take.id, JSON.stringify(take));
      this.unsaved.delete(take.id);
    } catch {
      this.unsaved.set(take.id, take);
    }
    this.#changed();
    return !this.unsaved.has(take.id);
  }

  delete(id) {
    this.storage.removeItem(PREFIX + id);
    this.unsaved.delete(id);
    this.#changed();
  }

  #read(key) {
    try {
      return JSON.parse(this.storage.getItem(key));
    } catch {
      return null; // not written by us
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** A take of a jam as it stands at `beat`, or null if nothing was played. */
export function takeOf(jam, { id, startedAt, tempos, meter, beat, placedBeat }) {
  const played = jam.performance.history(beat);
  if (played.length === 0) return null;
  const shift = pickupShift(played, meter);
  const moved = (event) => ({ ...event, onset: event.onset + shift });
  return {
    id,
    title: `Take of ${new Date(startedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`,
    startedAt,
    tempo: tempos[0].tempo,
    tempos: tempos.map(({ beat: at, tempo }) => ({ beat: at === 0 ? 0 : at + shift, tempo })),
    meter,
    listen: jam.listen + shift,
    model: jam.figures.model,
    session: jam.session,
    notes: played.map(moved),
    chords: jam.plan.history(placedBeat).map(moved),
  };
}

/** The beat at which the last of some notes and chords ends. */
export function endOf(...lists) {
  return lists.flat().reduce((last, { onset, duration }) => Math.max(last, onset + duration), 0);
}

/** Whole bars that make room for notes played in the count-in. */
function pickupShift(notes, meter) {
  const bar = barBeats(parseMeter(meter));
  const first = notes.reduce((least, { onset }) => Math.min(least, onset), 0);
  return Math.ceil(-first / bar) * bar;
}
