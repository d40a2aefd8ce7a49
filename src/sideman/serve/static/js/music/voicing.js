/**
 * Voicing: which keys a chord is played on, moving as little as possible from the chord before. Pure.
 *
 * A chord comes with `symbol`, `pitches` (any octave) and `bass` (or null); out come MIDI pitches:
 * `bass` in the second octave and `upper`, ascending, around the C below middle C.
 */
import { rootOf } from "./symbols.js";

export const STYLES = ["close", "open", "drop-2", "shell"];

const CENTRE = 57; // upper voices hover around this pitch, under most melodies
const BASS_CENTRE = 41;
const SPAN = 14; // how far the lowest upper voice may lie from the centre

/** {bass, upper} for one chord; `previous` is the chord before as returned here, or null. */
export function voice(chord, style, previous = null, octave = 0) {
  const tones = toneClasses(chord);
  if (tones.length === 0) return { bass: null, upper: [] };
  const centre = CENTRE + 12 * octave;
  const candidates = candidatesFor(tones, style, rootClass(chord, tones), centre);
  const before = previous?.upper ?? [];
  const upper = best(candidates, (pitches) => cost(pitches, before, centre));
  return { bass: bassPitch(chord, previous, octave, tones), upper };
}

/** How far the hand moves: each voice to its nearest neighbour, both ways, halved. */
export function movement(from, to) {
  if (from.length === 0 || to.length === 0) return 0;
  const nearest = (pitch, among) => Math.min(...among.map((other) => Math.abs(pitch - other)));
  const sum = (some, others) => some.reduce((total, pitch) => total + nearest(pitch, others), 0);
  return (sum(to, from) + sum(from, to)) / 2;
}

const modulo = (pitch) => ((pitch % 12) + 12) % 12;

function toneClasses(chord) {
  return [...new Set(chord.pitches.map(modulo))];
}

function rootClass(chord, tones) {
  const root = rootOf(chord.symbol);
  return root !== null && tones.includes(root) ? root : tones[0];
}

/** At most four tones: what names the chord (third, seventh, colours) stays; the fifth goes first, then the root. */
function fourAtMost(tones, root) {
  const expendable = [7, 0, 5, 2];
  const kept = [...tones];
  for (const interval of expendable) {
    const index = kept.indexOf((root + interval) % 12);
    if (kept.length > 4 && index >= 0) kept.splice(index, 1);
  }
  return kept.slice(0, 4);
}

/** The root, the third (or what is suspended in its place), and the seventh (or sixth, or fifth). */
function shellTones(tones, root) {
  const pick = (intervals) => intervals.map((i) => (root + i) % 12).find((tone) => tones.includes(tone));
  const shell = [root, pick([4, 3, 5, 2]), pick([10, 11, 9, 7, 6, 8])];
  return [...new Set(shell.filter((tone) => tone !== undefined))];
}

function candidatesFor(tones, style, root, centre) {
  const kept = style === "shell" ? shellTones(tones, root) : fourAtMost(tones, root);
  const found = [];
  for (let lowest = centre - SPAN; lowest <= centre + SPAN - 4; lowest += 1) {
    if (!kept.includes(modulo(lowest))) continue;
    if (style === "shell" && modulo(lowest) !== root) continue;
    const close = stack(lowest, kept);
    found.push(spread(close, style));
  }
  return found;
}

/** Close position upward from `lowest`. */
function stack(lowest, tones) {
  return tones.map((tone) => lowest + modulo(tone - lowest)).sort((a, b) => a - b);
}

function spread(close, style) {
  const moved = [...close];
  if (style === "drop-2" && close.length >= 3) moved[close.length - 2] -= 12;
  if (style === "open" && close.length === 3) moved[1] += 12;
  if (style === "open" && close.length === 4) {
    moved[0] -= 12;
    moved[2] -= 12;
  }
  return moved.sort((a, b) => a - b);
}

function cost(pitches, before, centre) {
  const mean = pitches.reduce((sum, pitch) => sum + pitch, 0) / pitches.length;
  return movement(before, pitches) + 0.35 * Math.abs(mean - centre);
}

function best(candidates, price) {
  let chosen = candidates[0];
  for (const candidate of candidates) if (price(candidate) < price(chosen) - 1e-9) chosen = candidate;
  return chosen;
}

/** The bass note near the last one, kept between F1 and E3. */
function bassPitch(chord, previous, octave, tones) {
  const tone = chord.bass === null || chord.bass === undefined ? rootClass(chord, tones) : modulo(chord.bass);
  const centre = BASS_CENTRE + 12 * octave;
  const target = (previous?.bass ?? centre) * 0.5 + centre * 0.5;
  return Math.round((target - tone) / 12) * 12 + tone;
}
