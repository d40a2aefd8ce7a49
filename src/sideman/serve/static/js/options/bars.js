/**
 * Bar lines of a melody with a pickup and changes of metre. Pure.
 */
const EPSILON = 1e-6;
const METRE = /^(\d+)\/(\d+)$/;

/** Quarter-note beats in a bar of "6/8". */
export function beatsOf(meter) {
  const [, count, unit] = METRE.exec(meter) ?? [null, 4, 4];
  return (count * 4) / unit;
}

/** Bars {onset, length, number} that cover 0 to `beats`; the first full bar is number 1, a pickup number 0. */
export function barsOf({ meter, pickup = 0, meter_changes: changes = [] }, beats) {
  const stretches = [{ onset: pickup, meter }, ...changes];
  const bars = [];
  for (let at = pickup; at > EPSILON; at = bars[0].onset) {
    const onset = Math.max(0, at - beatsOf(meter));
    bars.unshift({ onset, length: at - onset });
  }
  const before = bars.length;
  stretches.forEach((stretch, i) => {
    const full = beatsOf(stretch.meter);
    const until = stretches[i + 1]?.onset ?? Math.max(beats, stretch.onset + full);
    for (let at = stretch.onset; at < until - EPSILON; at += full)
      bars.push({ onset: at, length: i + 1 < stretches.length ? Math.min(full, until - at) : full });
  });
  return bars.map((bar, i) => ({ ...bar, number: i + 1 - before }));
}

/** The bar a beat lies in: the last one that has begun. */
export function barAt(bars, beat) {
  return bars.findLast(({ onset }) => onset <= beat + EPSILON) ?? bars[0];
}

/** The stretch {from, to} of the whole bars that something from beat to beat touches. */
export function barsAround(bars, from, to) {
  const touched = bars.filter(({ onset, length }) => onset < to - EPSILON && onset + length > from + EPSILON);
  const last = touched.at(-1);
  return last ? { from: touched[0].onset, to: last.onset + last.length } : null;
}
