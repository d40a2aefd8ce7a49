/**
 * Comping: when a chord is struck and for how long. Pure.
 *
 * A pattern is a row of hits a bar; a hit says where in the bar, for how long (beats; 0 = to the next hit),
 * how hard (a factor) and with what ("all", "bass", "upper", or the number of an arpeggio step).
 */
import { barBeats, pulseBeats, pulses } from "./metre.js";

const hit = (at, length = 0, force = 1, what = "all") => ({ at, length, force, what });

const eighths = (meter) => Array.from({ length: Math.round(barBeats(meter) * 2) }, (_, i) => i / 2);

export const PATTERNS = {
  held: { label: "Held", hits: () => [] },
  beats: {
    label: "On the beat",
    hits: (meter) => pulses(meter).map((at, i) => hit(at, pulseBeats(meter) * 0.85, i === 0 ? 1 : 0.82)),
  },
  bassAndChord: {
    label: "Bass, then chord",
    hits: (meter) =>
      pulses(meter).map((at, i, all) => {
        const low = i === 0 || (all.length % 2 === 0 && all.length > 2 && i === all.length / 2);
        return low ? hit(at, 0, 0.95, "bass") : hit(at, pulseBeats(meter) * 0.7, 0.75, "upper");
      }),
  },
  offbeats: {
    label: "Off the beat",
    hits: (meter) =>
      pulses(meter).flatMap((at, i) => {
        const off = hit(at + pulseBeats(meter) / 2, pulseBeats(meter) * 0.35, 0.85, "upper");
        return i === 0 ? [hit(at, pulseBeats(meter), 0.9, "bass"), off] : [off];
      }),
  },
  charleston: {
    label: "Charleston",
    hits: (meter) => [hit(0, 1.2), ...(barBeats(meter) > 1.5 ? [hit(1.5, 0.45, 0.9)] : [])],
  },
  arpeggio: {
    label: "Broken chord",
    hits: (meter) => eighths(meter).map((at, i) => hit(at, 0, i === 0 ? 0.95 : 0.78, i === 0 ? "all bass" : i)),
  },
};

/**
 * The strikes of one chord, each {onset, end, force, pitches}, onsets ascending.
 *
 * Strikes depend on the chord's onset and on the bar lines only, so a chord that turns out longer
 * keeps the strikes it had; only the last one may ring longer.
 */
export function strikes(chord, voiced, meter, pattern) {
  const end = chord.onset + chord.duration;
  const hits = hitsWithin(chord.onset, end, meter, PATTERNS[pattern] ?? PATTERNS.held);
  return hits
    .map((each, i) => {
      const next = hits[i + 1]?.at ?? end;
      const until = each.length > 0 ? each.at + each.length : next;
      return { onset: each.at, end: Math.min(until, end), force: each.force, pitches: keys(each.what, voiced, i) };
    })
    .filter((strike) => strike.pitches.length > 0 && strike.end > strike.onset);
}

function hitsWithin(onset, end, meter, pattern) {
  const bar = barBeats(meter);
  const row = pattern.hits(meter);
  const found = [];
  for (let start = Math.floor(onset / bar) * bar; start < end && row.length > 0; start += bar)
    for (const each of row) {
      const at = start + each.at;
      if (at >= onset - 1e-6 && at < end - 1e-6) found.push({ ...each, at });
    }
  const first = found[0];
  if (!first || first.at > onset + 1e-6) {
    // The change itself is always heard; a hit right behind it would only stutter.
    const length = first && first.length > 0 ? first.length : 0;
    if (first && first.at - onset < 0.3) found.shift();
    found.unshift(hit(onset, length));
  }
  return found;
}

function keys(what, { bass, upper }, step) {
  const low = bass === null ? [] : [bass];
  if (what === "all") return [...new Set([...low, ...upper])];
  if (what === "bass") return low.length > 0 ? low : upper.slice(0, 1);
  if (what === "upper") return upper;
  if (what === "all bass") return [...low, ...upper.slice(0, 1)];
  const turn = [...upper.keys(), ...[...upper.keys()].slice(1, -1).reverse()];
  return upper.length > 0 ? [upper[turn[step % turn.length]]] : [];
}
