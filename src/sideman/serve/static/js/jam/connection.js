/**
 * The line to the server: opens, says hello, and opens again when it breaks.
 *
 * Emits "message" (detail: the message) and "state" (detail: "connecting" | "open" | "lost" | "closed").
 */
const PAUSES = [0.25, 0.5, 1, 2, 4]; // seconds before each new try
const PATIENCE_MS = 1500; // for the answer to the last word

export class Connection extends EventTarget {
  /** `hello()` -> the first message of each new connection. */
  constructor(url, hello) {
    super();
    this.url = url;
    this.hello = hello;
    this.state = "closed";
    this.socket = null;
    this.tries = 0;
    this.timer = null;
  }

  open() {
    this.#enter(this.tries === 0 ? "connecting" : "lost");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.#enter("open");
      this.send(this.hello());
    };
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = () => this.#lost(socket);
  }

  /** True if the message went out. */
  send(message) {
    if (this.state !== "open") return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Leaves for good, after `last` (if it can still be said) was answered with a "bye" or too much time has passed. */
  close(last = null) {
    clearTimeout(this.timer);
    const { socket } = this;
    const said = last !== null && this.send(last);
    this.socket = null;
    if (said) {
      socket.onmessage = ({ data }) => JSON.parse(data).type === "bye" && socket.close();
      setTimeout(() => socket.close(), PATIENCE_MS);
    } else socket?.close();
    this.#enter("closed");
  }

  /** Gives up on a line that says nothing, and opens another. */
  restart() {
    const { socket } = this;
    this.#lost(socket);
    socket?.close();
  }

  #hear(socket, data) {
    if (socket !== this.socket) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not ours; the next message will tell
    }
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #lost(socket) {
    if (socket === null || socket !== this.socket) return;
    this.socket = null;
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    this.#enter("lost");
    this.timer = setTimeout(() => this.open(), pause * 1000);
  }

  #enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
