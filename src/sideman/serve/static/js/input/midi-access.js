/**
 * Web MIDI: one access for input and output. Emits "change" when ports come or go.
 */
export class MidiAccess extends EventTarget {
  constructor() {
    super();
    this.access = null;
    this.asked = null;
  }

  get supported() {
    return typeof navigator.requestMIDIAccess === "function";
  }

  /** Asks the browser, which may ask the player; false if there is no MIDI to be had. */
  async open() {
    if (!this.supported) return false;
    this.asked ??= this.#request();
    return this.asked;
  }

  /** Asks only if the player has said yes before. */
  async openIfAllowed() {
    if (!this.supported) return;
    try {
      const { state } = await navigator.permissions.query({ name: "midi" });
      if (state === "granted") await this.open();
    } catch {
      // a browser that cannot be asked about it: wait for the player's gesture
    }
  }

  inputs() {
    return connected(this.access?.inputs);
  }

  outputs() {
    return connected(this.access?.outputs);
  }

  async #request() {
    try {
      this.access = await navigator.requestMIDIAccess({ sysex: false });
    } catch {
      this.asked = null;
      return false;
    }
    this.access.onstatechange = () => this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("change"));
    return true;
  }
}

function connected(ports) {
  return ports ? [...ports.values()].filter((port) => port.state === "connected") : [];
}
