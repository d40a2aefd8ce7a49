/**
 * Metre: bar length and pulses, in quarter-note beats. Pure.
 */

/** "6/8" -> {count, unit}. Throws on anything else. */
export function parseMeter(text) {
  const match = /^(\d{1,2})\/(2|4|8|16)$/.exec(text);
  if (!match || Number(match[1]) === 0) throw new Error(`"${text}" is no metre; write one like 4/4.`);
  return { count: Number(match[1]), unit: Number(match[2]) };
}

/** Quarter-note beats in a bar. */
export function barBeats({ count, unit }) {
  return (count * 4) / unit;
}

/** Length of the pulse a player taps: a dotted quarter in 6/8, 9/8, 12/8; else the unit. */
export function pulseBeats({ count, unit }) {
  const compound = unit >= 8 && count > 3 && count % 3 === 0;
  return (compound ? 12 : 4) / unit;
}

/** Offsets of the pulses from the bar line. */
export function pulses(meter) {
  const step = pulseBeats(meter);
  return Array.from({ length: Math.round(barBeats(meter) / step) }, (_, i) => i * step);
}

/** Where a beat stands: bar (0 is the first, negative in the count-in), offset into it, pulse index. */
export function position(beat, meter) {
  const length = barBeats(meter);
  const bar = Math.floor(beat / length + 1e-9);
  const offset = Math.max(0, beat - bar * length);
  return { bar, offset, pulse: Math.floor(offset / pulseBeats(meter) + 1e-9) };
}
