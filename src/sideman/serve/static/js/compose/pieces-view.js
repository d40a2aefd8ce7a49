/**
 * The list of pieces: open, hear, write again with the same wishes, delete.
 */
import { button, element } from "../view/elements.js";
import { facts } from "./pieces.js";

const day = (ms) => new Date(ms).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

export class PiecesView {
  /** `hear(piece)` opens a piece and plays it. */
  constructor(list, emptyNote, studio, hear) {
    Object.assign(this, { list, emptyNote, studio, hear });
    studio.pieces.addEventListener("change", () => this.draw());
    studio.addEventListener("change", () => this.#mark());
    this.draw();
  }

  draw() {
    const pieces = this.studio.pieces.list();
    this.emptyNote.hidden = pieces.length > 0;
    this.list.replaceChildren(...pieces.map((piece) => this.#row(piece)));
    this.#mark();
  }

  #row(piece) {
    const row = element("li", "take");
    row.dataset.piece = piece.id;
    const head = element("div", "take-head");
    const play = button("", () => this.hear(piece), `Play ${piece.title}`);
    play.className = "round";
    const name = element("div", "take-name");
    name.append(element("strong", "", piece.title), element("span", "soft", `${facts(piece)} · ${day(piece.startedAt)}`));
    head.append(play, name);
    const tools = element("div", "tools");
    const open = button("Open", () => this.studio.open(piece), `Open ${piece.title}`);
    const again = button("Take its settings", () => this.studio.wishes.takeOver(piece.request), `Take the settings of ${piece.title}`);
    const gone = button("Delete", () => this.#delete(piece), `Delete ${piece.title}`);
    tools.append(open, ...(piece.model ? [again] : []), gone);
    row.append(head, tools);
    return row;
  }

  #mark() {
    const { piece, draft } = this.studio;
    for (const row of this.list.children) {
      if (row.dataset.piece === piece?.id && !draft) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      for (const control of row.querySelectorAll("button")) control.disabled = draft !== null;
    }
  }

  #delete(piece) {
    if (confirm(`Delete "${piece.title}"? It cannot be brought back.`)) this.studio.delete(piece);
  }
}
