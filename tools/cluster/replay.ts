import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';

/** Longer bodies are passed on, but not kept. */
const keptMax = 65_536;

/** A request's body on its way to an instance, kept while it is short, so that another instance can get it too. */
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

  /** Whether the beginning is gone. */
  get isIncomplete(): boolean {
    return this.#length > keptMax;
  }

  /** Sends it, from its beginning, instead of to where it went before. */
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
