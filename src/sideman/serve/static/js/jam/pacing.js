/**
 * When to ask for a new plan. Pure.
 *
 * A frame that has news asks; a beat without news asks too; and while one question is open at most one more
 * goes out (it supersedes the first). A question nobody answers stops counting after a while.
 */
const FRAMES_PER_BEAT = 4;
const FORGET_AFTER = 2; // seconds

export class Pacing {
  constructor() {
    this.frame = -1; // the frame of the last question
    this.open = new Map(); // request -> second it was asked
    this.request = 0;
  }

  due(beat, hasNews, now) {
    for (const [request, asked] of this.open) if (now - asked > FORGET_AFTER) this.open.delete(request);
    const frame = Math.floor(beat * FRAMES_PER_BEAT);
    if (frame <= this.frame || this.open.size > 1) return false;
    const beatPassed = Math.floor(frame / FRAMES_PER_BEAT) > Math.floor(this.frame / FRAMES_PER_BEAT);
    return hasNews || beatPassed;
  }

  ask(beat, now) {
    this.frame = Math.floor(beat * FRAMES_PER_BEAT);
    this.request += 1;
    this.open.set(this.request, now);
    return this.request;
  }

  /** An answer settles its question and all before; returns the seconds it took, or null for a stranger. */
  answered(request, now) {
    const asked = this.open.get(request);
    for (const each of this.open.keys()) if (each <= request) this.open.delete(each);
    return asked === undefined ? null : now - asked;
  }

  /** A new connection: nothing asked before will be answered. */
  forget() {
    this.open.clear();
    this.frame = -1;
  }
}
