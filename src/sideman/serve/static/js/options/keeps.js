/**
 * The chords that stay when the rest is rolled again: a list {onset, duration, symbol} for all rows, one at a time. Pure.
 */
const EPSILON = 1e-6;

const plain = ({ onset, duration, symbol }) => ({ onset, duration, symbol });
const same = (a, b) =>
  a.symbol === b.symbol && Math.abs(a.onset - b.onset) < EPSILON && Math.abs(a.duration - b.duration) < EPSILON;
const overlap = (a, b) => a.onset < b.onset + b.duration - EPSILON && b.onset < a.onset + a.duration - EPSILON;

export function isKept(kept, chord) {
  return kept.some((each) => same(each, chord));
}

/** Keeps the chords; what was kept where they stand is let go. */
export function keeping(kept, chords) {
  const others = kept.filter((each) => !chords.some((chord) => overlap(each, chord)));
  return [...others, ...chords.map(plain)].sort((a, b) => a.onset - b.onset);
}

/** Keeps the chords, or lets them go where all of them are kept. */
export function toggled(kept, chords) {
  if (!chords.every((chord) => isKept(kept, chord))) return keeping(kept, chords);
  return kept.filter((each) => !chords.some((chord) => same(each, chord)));
}

/** What is kept after chords took the place of others: what stood for a kept one is kept in its place. */
export function following(kept, before, after) {
  const gone = before.filter((chord) => isKept(kept, chord) && !after.some((each) => same(each, chord)));
  const heirs = after.filter((chord) => gone.some((each) => overlap(each, chord)) && !isKept(kept, chord));
  const left = kept.filter((each) => !gone.some((chord) => same(each, chord)));
  return keeping(left, heirs);
}

/** As the route takes them: what lies within the melody. */
export function asked(kept, end) {
  return kept.filter(({ onset }) => onset < end - EPSILON).map(plain);
}
