/**
 * The pieces written here, kept in this browser until their owner deletes them.
 *
 * A piece is {id, title, startedAt, request, model, seed, why, seconds, written, abc}: `written` as it came, `abc` as it is now.
 */
import { Shelf, newId } from "../shelf.js";
import { field, split } from "./sheet-text.js";
import { KEYS } from "./wishes.js";
import { worded } from "./prompts.js";

export class Pieces extends Shelf {
  constructor(storage = localStorage) {
    super("sideman.piece.", storage);
  }
}

/** A new piece from what was asked for and what came. */
export function pieceOf(request, { model, seed, why, seconds, abc }) {
  const begun = { id: newId(), startedAt: Date.now(), title: titleOf(request, abc) };
  return { ...begun, request, model, seed, why, seconds, written: abc, abc };
}

/** "16 bars · 3/4 · G / Em · seed 7". */
export function facts({ abc, written, seed }) {
  const { bars } = split(abc);
  const [metre, key] = [field(abc, "M"), field(abc, "K")];
  return [
    bars.length > 0 && `${bars.length} ${bars.length === 1 ? "bar" : "bars"}`,
    metre,
    KEYS[key] ? `${key} / ${KEYS[key]}` : key !== "none" && key,
    `seed ${seed}`,
    abc !== written && "edited",
  ].filter(Boolean).join(" · ");
}

function titleOf({ composer, instrumentation }, abc) {
  if (composer) return `After ${composer.split(",")[0]}: ${worded(instrumentation).toLowerCase()}`;
  const key = field(abc, "K");
  return key && key !== "none" ? `Piece in ${key.replace("b", "♭").replace("#", "♯")}` : "Piece";
}
