import type { Socket } from 'node:net';

/** One direction of a connection: passes bytes on in order, at once or after a delay. */
export class Direction {
  /** Delay of the bytes that arrive from now on, in ms. */
  delayMs = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #due: { readonly at: number; readonly act: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#later(() => this.#write(bytes)));
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => {
      if (!this.#isHeld) from.resume();
    });
    to.once('close', () => clearTimeout(this.#timer));
  }

  /** Lets bytes wait in the sender until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#from.pause();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#from.resume();
  }

  #write(bytes: Buffer): void {
    if (this.#to.writable && !this.#to.write(bytes)) this.#from.pause();
  }

  #later(act: () => void): void {
    if (this.delayMs === 0 && this.#due.length === 0) return act();
    const at = Math.max(performance.now() + this.delayMs, this.#due.at(-1)?.at ?? 0);
    this.#due.push({ at, act });
    if (this.#due.length === 1) this.#wait();
  }

  #wait(): void {
    const next = this.#due[0];
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#pass(), Math.max(0, next.at - performance.now()));
  }

  #pass(): void {
    const now = performance.now();
    for (let next = this.#due[0]; next !== undefined && next.at <= now + 1; next = this.#due[0]) {
      next.act();
      this.#due.shift();
    }
    this.#wait();
  }
}
