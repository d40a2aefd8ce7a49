/**
 * The text beside the score: it grows while a piece is written and can be changed when it is there.
 */
const REST = 600; // ms without a key before what was typed counts

export class TextView {
  /** `parts`: area, error, back. */
  constructor(parts, studio) {
    this.parts = parts;
    this.studio = studio;
    this.timer = null;
    parts.area.addEventListener("input", () => this.#typed());
    parts.area.addEventListener("change", () => this.#take());
    parts.back.addEventListener("click", () => this.#revert());
    studio.addEventListener("text", () => this.draw());
    studio.addEventListener("change", () => this.#showState());
    this.draw();
    this.#showState();
  }

  draw() {
    const { area } = this.parts;
    const { text, draft } = this.studio;
    if (area.value === text) return;
    clearTimeout(this.timer);
    const following = draft !== null && area.scrollHeight - area.scrollTop - area.clientHeight < 60;
    const grown = draft !== null && text.startsWith(area.value);
    area.value = text;
    if (following) area.scrollTop = area.scrollHeight;
    else if (!grown) area.scrollTop = 0;
  }

  /** What is wrong with the text, or null. */
  complain(message) {
    const { area, error } = this.parts;
    error.textContent = message ?? "";
    error.hidden = message === null;
    if (message === null) area.removeAttribute("aria-invalid");
    else area.setAttribute("aria-invalid", "true");
  }

  #showState() {
    const { area, back } = this.parts;
    const { draft, piece } = this.studio;
    area.readOnly = draft !== null;
    back.hidden = draft !== null || !piece?.written || piece.abc === piece.written;
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#take(), REST);
  }

  #take() {
    clearTimeout(this.timer);
    const { value } = this.parts.area;
    if (value !== this.studio.text && !this.studio.draft) this.studio.edit(value);
  }

  #revert() {
    this.studio.edit(this.studio.piece.written);
    this.draw();
    this.parts.area.focus();
  }
}
