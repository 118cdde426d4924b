import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';

/** Longer bodies are passed on without a copy. */
const keptMax = 65_536;

/** A request's body that is copied while it is short, so that it can be sent to another instance. */
export class Replay {
  readonly #source: IncomingMessage;
  #kept: Buffer[] = [];
  #length = 0;
  #isEnded = false;
  #target: Writable | undefined;

  constructor(source: IncomingMessage) {
    this.#source = source;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => {
      this.#isEnded = true;
      this.#target?.end();
    });
    source.on('aborted', () => this.#target?.destroy());
    source.pause();
  }

  /** Whether the copy lacks the beginning of the body. */
  get isIncomplete(): boolean {
    return this.#length > keptMax;
  }

  /** Sends the body from its beginning to this instance instead of the former one. */
  pipe(target: Writable): void {
    this.#target = target;
    for (const chunk of this.#kept) target.write(chunk);
    if (this.#isEnded) target.end();
    target.on('drain', () => this.#source.resume());
    this.#source.resume();
  }

  #take(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.isIncomplete) this.#kept = [];
    else this.#kept.push(chunk);
    if (this.#target?.writable === true && !this.#target.write(chunk)) this.#source.pause();
  }
}
