/**
 * What the options page says about chords and progressions. Pure.
 */
import { spoken } from "../music/symbols.js";

const CADENCES = {
  authentic: "ends V–I", plagal: "ends IV–I", half: "ends on V", deceptive: "ends V–vi", tonic: "ends at home", open: "ends open",
};

/** "viio7/V" -> "vii°7/V", "bVII" -> "♭VII". */
export function numeral(text = "") {
  return text.replace(/b(?=[IViv])/g, "♭").replace(/#(?=[IViv])/g, "♯").replace(/([iv])o/g, "$1°").replace(/h7/, "ø7");
}

/** A share as people read it: "82 %", or "–". */
export function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`;
}

/** Keys and the end, where the server tells them: "C major, A minor from bar 9; ends V–I". */
export function course({ keys = [], cadence } = {}, barOf = () => null) {
  const named = keys.map(({ key, onset }, i) => (i === 0 ? key : `${key} from bar ${barOf(onset)}`));
  return [named.join(", "), CADENCES[cadence]].filter(Boolean).join("; ").replace(/([A-G])b /g, "$1♭ ").replace(/([A-G])# /g, "$1♯ ");
}

/** What is special about a row, in a sentence. */
export function summary({ explanation, edited, own, scores = {} }) {
  if (edited || own) return edited ? "Changed by hand." : "The chords in the file.";
  return explanation?.summary ?? (scores.harmony === undefined ? "" : `Harmony ${percent(scores.harmony)}, fit ${percent(scores.fit)}.`);
}

/** A chord as a screen reader says it. */
export function told(chord, bar, kept) {
  const place = bar.number > 0 ? `bar ${bar.number}` : "pickup";
  return [spoken(chord.symbol), numeral(chord.numeral), place, kept && "kept"].filter(Boolean).join(", ");
}
