/**
 * Organ: six drawbars drawn as one wave, and a fainter one a hair apart for the slow turn of a rotor.
 */
import { Voice, hertz, loudness } from "./voice.js";

// Drawbars as harmonics of the note an octave below: 16', 8', 5 1/3', 4', 2 2/3', 2'.
const DRAWBARS = { 1: 0.32, 2: 1, 3: 0.28, 4: 0.42, 6: 0.14, 8: 0.16 };
const PIPES = [{ detune: 0, share: 1 }, { detune: 3.5, share: 0.28 }];

const waves = new WeakMap();

function drawbarWave(ctx) {
  if (!waves.has(ctx)) {
    const imag = new Float32Array(9);
    for (const [harmonic, level] of Object.entries(DRAWBARS)) imag[harmonic] = level;
    waves.set(ctx, ctx.createPeriodicWave(new Float32Array(9), imag, { disableNormalization: true }));
  }
  return waves.get(ctx);
}

export function organ(ctx, out, pitch, velocity, at) {
  const amp = ctx.createGain();
  const level = 0.075 * (0.55 + 0.45 * loudness(velocity)); // an organ hardly knows velocity
  amp.gain.setValueAtTime(0, at);
  amp.gain.setTargetAtTime(level, at, 0.006);
  const sources = PIPES.map(({ detune, share }) => {
    const pipe = new OscillatorNode(ctx, { frequency: hertz(pitch - 12), detune });
    pipe.setPeriodicWave(drawbarWave(ctx));
    pipe.connect(new GainNode(ctx, { gain: share })).connect(amp);
    return pipe;
  });
  return new Voice(ctx, { amp, sources, out, at, releaseTime: 0.025 });
}
