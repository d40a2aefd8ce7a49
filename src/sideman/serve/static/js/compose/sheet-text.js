/**
 * Sheet music as the composer writes it: interleaved ABC, header lines and then one line a bar. Pure.
 */
const BAR = /^\[(V|r):/;

/** The lines of the header and the lines of music. */
export function split(abc) {
  const lines = abc.split("\n").filter((line) => line.trim() !== "");
  const first = lines.findIndex((line) => BAR.test(line));
  return first < 0 ? { header: lines, bars: [] } : { header: lines.slice(0, first), bars: lines.slice(first) };
}

/** Header and the first `count` bars. */
export function beginning(abc, count) {
  const { header, bars } = split(abc);
  return [...header, ...bars.slice(0, count), ""].join("\n");
}

/** What of a text that still grows is whole lines. */
export function wholeLines(text) {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

/** What a header says in a field ("K", "M", ...), or "". */
export function field(abc, name) {
  return split(abc).header.find((line) => line.startsWith(`${name}:`))?.slice(2).trim() ?? "";
}
