/**
 * The takes: what was played, kept in this browser until the player deletes it.
 *
 * A take is {id, title, startedAt, tempo, tempos, meter, listen, model, session, notes, chords}, times in beats from its first
 * bar line; notes {onset, duration, pitch, velocity}, chords {onset, duration, symbol, pitches, bass}.
 */
import { barBeats, parseMeter } from "../music/metre.js";
import { Shelf } from "../shelf.js";

export class Takes extends Shelf {
  constructor(storage = localStorage) {
    super("sideman.take.", storage);
  }
}

/** A take of a jam as it stands at `beat`, or null if nothing was played. */
export function takeOf(jam, { id, startedAt, tempos, meter, beat, placedBeat }) {
  const notes = jam.melody(beat);
  const chords = jam.plan.history(placedBeat);
  if (jam.performance.notes.length === 0 || notes.length + chords.length === 0) return null;
  const shift = pickupShift(notes, meter);
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
    notes: notes.map(moved),
    chords: chords.map(moved),
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
