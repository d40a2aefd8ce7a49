/**
 * The computer keyboard as a piano: the row from A plays C upward, Z and X move the octave.
 *
 * Keys are taken by their place on the board, so other layouts play the same pattern.
 */
export const PIANO_KEYS = [
  ["KeyA", "a"], ["KeyW", "w"], ["KeyS", "s"], ["KeyE", "e"], ["KeyD", "d"], ["KeyF", "f"], ["KeyT", "t"],
  ["KeyG", "g"], ["KeyY", "y"], ["KeyH", "h"], ["KeyU", "u"], ["KeyJ", "j"], ["KeyK", "k"], ["KeyO", "o"],
  ["KeyL", "l"], ["KeyP", "p"], ["Semicolon", ";"], ["Quote", "'"],
];

const STEP = new Map(PIANO_KEYS.map(([code], index) => [code, index]));
const VELOCITY = 80;

/** Listens on the window while `active()`; `player` has noteOn, noteOff, panic; `settings` holds the octave. */
export class ComputerKeys {
  constructor(player, settings, active = () => true) {
    this.player = player;
    this.settings = settings;
    this.active = active;
    this.down = new Map(); // code -> pitch
    addEventListener("keydown", (event) => this.#press(event));
    addEventListener("keyup", (event) => this.#lift(event));
    addEventListener("blur", () => this.#liftAll());
  }

  /** The letter printed on a key, or "". */
  letter(pitch) {
    return PIANO_KEYS[pitch - this.#lowest()]?.[1] ?? "";
  }

  #lowest() {
    return 12 * (this.settings.get("keyOctave") + 1);
  }

  #press(event) {
    if (!this.active() || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const { code } = event;
    if (code === "Escape") this.player.panic();
    if (code === "KeyZ" || code === "KeyX") {
      this.settings.set("keyOctave", this.settings.get("keyOctave") + (code === "KeyX" ? 1 : -1));
    }
    if (!STEP.has(code) || this.down.has(code)) return;
    event.preventDefault();
    const pitch = this.#lowest() + STEP.get(code);
    this.down.set(code, pitch);
    this.player.noteOn(pitch, VELOCITY, event.timeStamp);
  }

  #lift({ code, timeStamp }) {
    const pitch = this.down.get(code);
    if (pitch === undefined) return;
    this.down.delete(code);
    this.player.noteOff(pitch, timeStamp);
  }

  #liftAll() {
    for (const pitch of this.down.values()) this.player.noteOff(pitch, performance.now());
    this.down.clear();
  }
}

function isTyping(target) {
  return target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && /^(text|number)$/.test(target.type));
}
