/**
 * Plucked string after Karplus and Strong: noise going round a delay line that loses its highs.
 *
 * The delay cannot be made of nodes (their shortest loop is too long), so the string is computed once for each
 * pitch and touch and then played as a buffer.
 */
import { Voice, hertz, loudness } from "./voice.js";

const SECONDS = 3.2;
const TOUCHES = 3; // soft, middle, hard

const strings = new WeakMap();

export function pluckedString(ctx, out, pitch, velocity, at) {
  const touch = Math.min(TOUCHES - 1, Math.floor((velocity / 128) * TOUCHES));
  const source = new AudioBufferSourceNode(ctx, { buffer: stringOf(ctx, pitch, touch) });
  const amp = new GainNode(ctx, { gain: 0.4 * loudness(velocity) });
  source.connect(amp);
  return new Voice(ctx, { amp, sources: [source], out, at, releaseTime: 0.05, lasts: SECONDS });
}

function stringOf(ctx, pitch, touch) {
  if (!strings.has(ctx)) strings.set(ctx, new Map());
  const made = strings.get(ctx);
  const key = pitch * TOUCHES + touch;
  if (!made.has(key)) {
    const buffer = ctx.createBuffer(1, Math.ceil(SECONDS * ctx.sampleRate), ctx.sampleRate);
    compute(buffer.getChannelData(0), ctx.sampleRate, hertz(pitch), touch);
    made.set(key, buffer);
  }
  return made.get(key);
}

function compute(samples, sampleRate, frequency, touch) {
  // The loop filter (1-b) x[n] + b x[n-1] delays by about b samples; an all-pass makes up the fraction that is left.
  const bright = 0.5 - 0.12 * touch;
  const blend = Math.min(0.5, bright * Math.max(0.4, 330 / frequency));
  const omega = (2 * Math.PI * frequency) / sampleRate;
  const filterDelay = Math.atan2(blend * Math.sin(omega), 1 - blend + blend * Math.cos(omega)) / omega;
  const period = sampleRate / frequency - filterDelay;
  const whole = Math.floor(period - 0.3);
  const coefficient = allPass(period - whole, omega);
  const loss = 10 ** (-3 / (frequency * (1.1 + 2600 / (frequency + 500))));
  const line = excitation(whole, touch);
  let last = 0;
  let passIn = 0;
  let passOut = 0;
  for (let i = 0, at = 0; i < samples.length; i += 1) {
    const current = line[at];
    const filtered = loss * ((1 - blend) * current + blend * last);
    last = current;
    passOut = coefficient * (filtered - passOut) + passIn;
    passIn = filtered;
    line[at] = passOut;
    samples[i] = passOut;
    at = at + 1 === whole ? 0 : at + 1;
  }
  fade(samples, sampleRate);
}

/** Coefficient of a first-order all-pass whose phase delay at `omega` is `delay` samples. */
function allPass(delay, omega) {
  return Math.sin(((1 - delay) * omega) / 2) / Math.sin(((1 + delay) * omega) / 2);
}

/** Repeatable noise without a mean, softened for a soft touch, and picked at a fifth of the string. */
function excitation(length, touch) {
  let state = 22222;
  let smooth = 0;
  const softness = [0.72, 0.5, 0.25][touch];
  const noise = Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    smooth = softness * smooth + (1 - softness) * (state / 2 ** 31);
    return smooth;
  });
  const pick = Math.max(1, Math.round(length / 5));
  const line = noise.map((x, i) => x - 0.8 * noise[(i + length - pick) % length]);
  const mean = line.reduce((sum, x) => sum + x, 0) / length;
  const power = Math.sqrt(line.reduce((sum, x) => sum + (x - mean) ** 2, 0) / length);
  return line.map((x) => (0.3 * (x - mean)) / power);
}

/** No click at either end. */
function fade(samples, sampleRate) {
  const start = Math.round(0.0015 * sampleRate);
  const tail = Math.round(0.25 * sampleRate);
  for (let i = 0; i < start; i += 1) samples[i] *= i / start;
  for (let i = 0; i < tail; i += 1) samples[samples.length - 1 - i] *= i / tail;
}
