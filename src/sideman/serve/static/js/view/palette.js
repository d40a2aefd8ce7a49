/**
 * The colours of the style sheet for canvases; read again when the scheme changes.
 */
const NAMES = ["ground", "panel", "line", "ink", "soft", "band", "player", "band-faint", "white-key", "black-key", "key-line"];

export class Palette {
  constructor() {
    this.version = 0; // grows when the colours change
    this.read();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.read());
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.text = style.getPropertyValue("--text-face").trim();
    this.display = style.getPropertyValue("--display-face").trim();
    this.version += 1;
  }

  get(name) {
    return this.colours[name];
  }
}
