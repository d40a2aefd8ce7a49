/**
 * Where the music is: between the moments at which something begins. Pure.
 */

/** Index of the last entry {start} that has begun at `second`; -1 before the first. */
export function entryAt(entries, second) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].start <= second) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Second at which a bar first begins, or 0. */
export function startOf(entries, bar) {
  return entries.find((entry) => entry.bar === bar)?.start ?? 0;
}

/**
 * Where to draw the cursor: entries [{start, x, top, bottom, right}] are on paper, `end` is the second at which the last
 * one is over. It moves from one entry to the next, or to the end of its bar where the next is on another line.
 */
export function placeAt(entries, second, end) {
  const index = Math.max(0, entryAt(entries, second));
  const here = entries[index];
  const next = entries[index + 1];
  const follows = next && next.top === here.top && next.x > here.x;
  const [until, goal] = [next ? next.start : end, follows ? next.x : here.right];
  const share = until > here.start ? Math.min(1, Math.max(0, (second - here.start) / (until - here.start))) : 0;
  return { index, x: here.x + share * (goal - here.x), top: here.top, bottom: here.bottom };
}
