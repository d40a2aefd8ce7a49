/**
 * Wakes the page at a steady pace from a Worker, whose timers browsers leave alone in background tabs.
 */
export class Waker {
  /** Loads the Worker; it sleeps until `start`. Made early, because a server gone later could not deliver it. */
  constructor(wake) {
    this.worker = new Worker(new URL("./wake-worker.js", import.meta.url));
    this.worker.onmessage = wake;
  }

  start(everyMs = 25) {
    this.worker.postMessage(everyMs);
  }
}
