/**
 * The mixer: one channel a part, a send to the room, and a ceiling that nothing passes.
 */
import { makeRoom } from "./room.js";

export const PARTS = ["chords", "melody", "click"];

const SEND = { chords: 0.3, melody: 0.34, click: 0.04 };
const KNEE = 0.6; // below this the ceiling changes nothing
const CEILING = 0.88; // -1.1 dBFS
const GLIDE = 0.02;

export class Mixer {
  constructor(ctx, destination = ctx.destination) {
    this.ctx = ctx;
    this.master = ctx.createGain();
    const ceiling = new WaveShaperNode(ctx, { curve: ceilingCurve() });
    const room = makeRoom(ctx);
    this.master.connect(ceiling).connect(destination);
    room.connect(this.master);
    this.channels = {};
    for (const part of PARTS) {
      const channel = ctx.createGain();
      channel.connect(this.master);
      channel.connect(new GainNode(ctx, { gain: SEND[part] })).connect(room);
      this.channels[part] = channel;
    }
  }

  /** Volume 0..100 of a part, or of "master"; 80 is how it is meant. */
  setVolume(name, volume) {
    const { gain } = name === "master" ? this.master : this.channels[name];
    gain.setTargetAtTime((volume / 80) ** 2, this.ctx.currentTime, GLIDE);
  }
}

/** Straight up to the knee, then bending towards the ceiling; beyond full scale a shaper holds its last value. */
function ceilingCurve() {
  const points = 4097;
  return Float32Array.from({ length: points }, (_, i) => {
    const x = (2 * i) / (points - 1) - 1;
    const size = Math.abs(x);
    const room = CEILING - KNEE;
    const bent = size <= KNEE ? size : KNEE + room * Math.tanh((size - KNEE) / room);
    return Math.sign(x) * bent;
  });
}
