/**
 * A melody and chords as sounds: {start, end, part, pitches, velocity}, in seconds from beat 0. Pure.
 */
import { strikes } from "../music/comping.js";
import { parseMeter } from "../music/metre.js";
import { Timeline } from "../music/timeline.js";
import { voice } from "../music/voicing.js";
import { beatsOf } from "./bars.js";
import { tempos } from "./melody.js";

const CHORD_VELOCITY = 84;

/** The map between beats and seconds from beat 0. */
export function clockOf(melody) {
  return Timeline.of(0, tempos(melody));
}

/** What sounds; `dress`: {rhythm, style, octave} of the chords. */
export function soundsOf(melody, chords, dress) {
  const clock = clockOf(melody);
  const sound = (part, onset, end, pitches, velocity) => ({ start: clock.time(onset), end: clock.time(end), part, pitches, velocity });
  const notes = melody.notes.map((n) => sound("melody", n.onset, n.onset + n.duration, [n.pitch], n.velocity ?? 80));
  const shift = pickupShift(melody);
  const meter = comped(melody);
  const struck = dressed(chords, dress).flatMap(({ chord, voiced }) =>
    strikes({ ...chord, onset: chord.onset + shift }, voiced, meter, dress.rhythm).map((strike) =>
      sound("chords", strike.onset - shift, strike.end - shift, strike.pitches, Math.round(CHORD_VELOCITY * strike.force)),
    ),
  );
  return [...notes, ...struck].sort((a, b) => a.start - b.start);
}

/** Chords with the keys they are played on: as the server leads the voices, or as the page does. */
export function dressed(chords, { style, octave }) {
  let before = null;
  return chords.map((chord) => {
    const [low, ...upper] = (chord.voicing ?? []).map((pitch) => pitch + 12 * octave);
    before = low === undefined ? voice(chord, style, before, octave) : { bass: low, upper };
    return { chord, voiced: before };
  });
}

/** Beats that bring the bar lines to multiples of the bar, where comping looks for them. */
function pickupShift({ meter, pickup = 0 }) {
  const bar = beatsOf(meter);
  return (bar - (pickup % bar)) % bar;
}

function comped({ meter }) {
  try {
    return parseMeter(meter);
  } catch {
    return parseMeter("4/4"); // a metre that only the held rhythm can follow
  }
}
