/**
 * Chord symbols as people read them, and the little the page needs to know about a symbol. Pure.
 */

const LETTERS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const SIGNS = { b: "♭", "#": "♯" };

const signs = (text) => text.replace(/[b#]/g, (sign) => SIGNS[sign]);

/** "Bbm7b5/Ab" -> "B♭m7♭5/A♭". */
export function pretty(symbol) {
  const match = /^([A-G][b#]*)([^/]*(?:\/9[^/]*)?)(?:\/([A-G][b#]*))?$/.exec(symbol);
  if (!match) return symbol;
  const [, root, quality, bass] = match;
  const readable = quality
    .replace(/^(dim|o)(?=7|$)/, "°")
    .replace(/[b#](?=\d)/g, (sign) => SIGNS[sign]);
  return signs(root) + readable + (bass ? `/${signs(bass)}` : "");
}

/** "B♭m" as a voice would say it: "B flat minor". */
export function spoken(symbol) {
  return pretty(symbol)
    .replaceAll("♭", " flat ")
    .replaceAll("♯", " sharp ")
    .replace("°", " diminished ")
    .replace("maj", " major ")
    .replace(/m(?=\d|\/|$|\()/, " minor ")
    .replace("/", " over ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Pitch class of the root, or null for no chord. */
export function rootOf(symbol) {
  const match = /^([A-G])([b#]*)/.exec(symbol);
  if (!match) return null;
  const shift = [...match[2]].reduce((sum, sign) => sum + (sign === "#" ? 1 : -1), 0);
  return (LETTERS[match[1]] + shift + 24) % 12;
}
