/**
 * The melody as the routes take it, {notes, meter, tempo, pickup, key, title, ...}, and what can be done to it. Pure.
 *
 * Notes are {onset, duration, pitch, velocity}, times in quarter-note beats, sorted, one at a time.
 */
import { beatsOf } from "./bars.js";

export const FRAME = 0.25; // a 16th
const EPSILON = 1e-6;
const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** A melody of nothing but a metre and a tempo. */
export function emptyMelody(more = {}) {
  return { notes: [], meter: "4/4", tempo: 100, pickup: 0, title: "", ...more };
}

/** The beat at which the last of some notes and chords ends. */
export function endOf(...lists) {
  return lists.flat().reduce((last, { onset, duration }) => Math.max(last, onset + duration), 0);
}

/** The notes with one more, which cuts what it covers: notes begun before end where it begins, later ones begin where it ends. */
export function withNote(notes, note) {
  const end = note.onset + note.duration;
  const others = notes.flatMap((other) => {
    const stop = other.onset + other.duration;
    if (stop <= note.onset + EPSILON || other.onset >= end - EPSILON) return [other];
    if (other.onset < note.onset - EPSILON) return [{ ...other, duration: note.onset - other.onset }];
    return stop > end + FRAME / 2 ? [{ ...other, onset: end, duration: stop - end }] : [];
  });
  return [...others, note].sort((a, b) => a.onset - b.onset);
}

/** The notes with one of them changed. */
export function withChanged(notes, index, note) {
  return withNote(notes.filter((_, i) => i !== index), note);
}

/** What was played, brought to the nearest 16th, the later of two notes at a time; upbeats make a pickup. */
export function played(notes, { meter, tempo }) {
  const near = (beat) => Math.round(beat / FRAME) * FRAME;
  let line = [];
  for (const note of [...notes].sort((a, b) => a.onset - b.onset)) {
    const onset = near(note.onset);
    const duration = Math.max(FRAME, near(note.onset + note.duration) - onset);
    line = withNote(line, { onset, duration, pitch: note.pitch, velocity: Math.max(1, note.velocity ?? 80) });
  }
  const early = Math.max(0, -(line[0]?.onset ?? 0));
  const moved = line.map((note) => ({ ...note, onset: note.onset + early }));
  return emptyMelody({ ...inMetre(meter, early), tempo, notes: moved });
}

/** A metre for the whole melody; what the pickup has of whole bars becomes bars. */
export function inMetre(meter, pickup = 0) {
  return { meter, meter_changes: [], pickup: pickup % beatsOf(meter) };
}

/** The melody of a take of the jam. */
export function ofTake({ notes, meter, tempo, title }) {
  return { ...played(notes, { meter, tempo }), title };
}

/** "F♯4". */
export function nameOf(pitch) {
  return `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** The changes of tempo as rows {beat, tempo}, the first from beat 0 on. */
export function tempos({ tempo, tempo_changes: changes = [] }) {
  return [{ beat: 0, tempo }, ...changes.map((change) => ({ beat: change.onset, tempo: change.tempo }))];
}
