/**
 * Where the keys of the drawn piano are: as many as the width has room for. Pure.
 */
const RANGES = [
  { from: 1000, low: 21, high: 108 }, // all 88 keys
  { from: 640, low: 36, high: 96 },
  { from: 0, low: 48, high: 84 },
];
const BLACK = new Set([1, 3, 6, 8, 10]);
const BLACK_WIDTH = 0.6; // of a white key

export class PianoLayout {
  constructor(width) {
    const { low, high } = RANGES.find((range) => width >= range.from);
    this.low = low;
    this.high = high;
    this.width = width;
    const whites = [];
    for (let pitch = low; pitch <= high; pitch += 1) if (!isBlack(pitch)) whites.push(pitch);
    this.keyWidth = width / whites.length;
    this.whites = whites;
    this.left = new Map();
    whites.forEach((pitch, index) => this.left.set(pitch, index * this.keyWidth));
    for (let pitch = low; pitch <= high; pitch += 1)
      if (isBlack(pitch)) this.left.set(pitch, this.left.get(pitch - 1) + this.keyWidth * (1 - BLACK_WIDTH / 2));
  }

  /** {x, width, black} of a key; pitches beyond the drawn range are shown in its nearest octave. */
  key(pitch) {
    const shown = this.shown(pitch);
    const black = isBlack(shown);
    return { x: this.left.get(shown), width: this.keyWidth * (black ? BLACK_WIDTH : 1), black };
  }

  shown(pitch) {
    let folded = pitch;
    while (folded < this.low) folded += 12;
    while (folded > this.high) folded -= 12;
    return folded;
  }

  /** The key under a point, `y` as a share of the key's height. */
  pitchAt(x, y) {
    const index = Math.floor(x / this.keyWidth);
    const white = this.whites[index];
    if (white === undefined || y < 0 || y > 1) return null;
    if (y < 0.62)
      for (const pitch of [white - 1, white + 1]) {
        if (!isBlack(pitch) || !this.left.has(pitch)) continue;
        const left = this.left.get(pitch);
        if (x >= left && x < left + this.keyWidth * BLACK_WIDTH) return pitch;
      }
    return white;
  }
}

export function isBlack(pitch) {
  return BLACK.has(pitch % 12);
}
