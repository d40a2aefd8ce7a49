/**
 * Mouse, pen and fingers on the drawn keyboard: press and slide, lower on the key is louder.
 */
export class PointerKeys {
  /** `view` has pitchAt(x, y) -> {pitch, depth: 0..1} or null, in CSS pixels of its canvas. */
  constructor(canvas, view, player) {
    this.canvas = canvas;
    this.view = view;
    this.player = player;
    this.down = new Map(); // pointer -> pitch
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#slide(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(name, (event) => this.#lift(event));
  }

  #press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, null);
    this.#slide(event);
  }

  #slide(event) {
    if (!this.down.has(event.pointerId)) return;
    const box = this.canvas.getBoundingClientRect();
    const key = this.view.pitchAt(event.clientX - box.left, event.clientY - box.top);
    const before = this.down.get(event.pointerId);
    if ((key?.pitch ?? null) === before) return;
    if (before !== null) this.player.noteOff(before, event.timeStamp);
    this.down.set(event.pointerId, key?.pitch ?? null);
    if (key) this.player.noteOn(key.pitch, Math.round(50 + 60 * key.depth), event.timeStamp);
  }

  #lift(event) {
    const pitch = this.down.get(event.pointerId);
    this.down.delete(event.pointerId);
    if (pitch !== undefined && pitch !== null) this.player.noteOff(pitch, event.timeStamp);
  }
}
