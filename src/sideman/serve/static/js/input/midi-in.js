/**
 * MIDI keyboards: any channel, the velocity as played, the sustain pedal, the device's own time stamps.
 *
 * Emits "unplugged" (detail: the port's name) after lifting the keys that were down on it.
 */
const ALL = "all";

export class MidiIn extends EventTarget {
  /** `player` has noteOn, noteOff, pedal; `settings` names the port. */
  constructor(access, player, settings) {
    super();
    this.access = access;
    this.player = player;
    this.settings = settings;
    this.ports = new Map(); // id -> {port, down: Set of pitches}
    access.addEventListener("change", () => this.bind());
    settings.addEventListener("change", ({ detail }) => detail === "midiIn" && this.bind());
  }

  /** Listens to the chosen ports that are there now, and to no others. */
  bind() {
    const chosen = this.settings.get("midiIn");
    const there = this.access.inputs();
    const wanted = there.filter((port) => chosen === ALL || port.id === chosen);
    for (const [id, held] of this.ports) {
      if (wanted.some((port) => port.id === id)) continue;
      this.#leave(id, held);
      if (!there.some((port) => port.id === id)) this.dispatchEvent(new CustomEvent("unplugged", { detail: held.port.name }));
    }
    for (const port of wanted) {
      const held = this.ports.get(port.id) ?? { port, down: new Set() };
      held.port = port;
      this.ports.set(port.id, held);
      port.onmidimessage = ({ data, timeStamp }) => this.#hear(held, data, timeStamp || performance.now());
    }
  }

  #leave(id, { port, down }) {
    port.onmidimessage = null;
    for (const pitch of down) this.player.noteOff(pitch, performance.now());
    this.ports.delete(id);
  }

  #hear({ down }, [status, first, second], timeStamp) {
    const kind = status & 0xf0;
    if (kind === 0x90 && second > 0) {
      down.add(first);
      this.player.noteOn(first, second, timeStamp);
    } else if (kind === 0x80 || kind === 0x90) {
      down.delete(first);
      this.player.noteOff(first, timeStamp);
    } else if (kind === 0xb0 && first === 64) this.player.pedal(second >= 64, timeStamp);
    else if (kind === 0xb0 && (first === 120 || first === 123)) {
      for (const pitch of down) this.player.noteOff(pitch, timeStamp);
      down.clear();
    }
  }
}
