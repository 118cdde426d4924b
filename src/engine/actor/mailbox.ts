/**
 * A bounded first-in-first-out box of messages with one reader.
 * A full one refuses instead of growing: the sender is told at once.
 */
export class Mailbox<Message> {
  readonly #capacity: number;
  #messages: Message[] = [];
  #wake: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#messages.length;
  }

  /** False when the box is full. */
  offer(message: Message): boolean {
    if (this.#messages.length >= this.#capacity) return false;
    this.put(message);
    return true;
  }

  /** For messages that must not be refused, such as a saga's result: it is bounded by what the actor itself started. */
  put(message: Message): void {
    this.#messages.push(message);
    this.#rouse();
  }

  /** Puts messages back in front, in their order. */
  putBack(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#messages = [...messages, ...this.#messages];
    this.#rouse();
  }

  /** Takes up to `max` of the oldest. */
  take(max: number): Message[] {
    if (this.#messages.length <= max) {
      const all = this.#messages;
      this.#messages = [];
      return all;
    }
    return this.#messages.splice(0, max);
  }

  /** Resolves when there is a message or the signal aborts. */
  async arrival(signal: AbortSignal): Promise<void> {
    if (this.#messages.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }

  #rouse(): void {
    this.#wake?.();
  }
}
