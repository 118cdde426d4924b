/** The list is compacted once it has this many taken entries. */
const cutAt = 4_096;

/** A queue of scheduled send times for which no connection was free. */
export class SendQueue {
  #times: number[] = [];
  #first = 0;

  add(time: number): void {
    this.#times.push(time);
  }

  get isEmpty(): boolean {
    return this.#first >= this.#times.length;
  }

  take(): number | undefined {
    const time = this.#times[this.#first];
    if (time === undefined) return undefined;
    this.#first += 1;
    if (this.#first >= cutAt && this.#first * 2 >= this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return time;
  }

  /** Drops entries scheduled before this time. */
  dropBefore(time: number, onDrop: (time: number) => void): void {
    for (;;) {
      const first = this.#times[this.#first];
      if (first === undefined || first >= time) return;
      this.take();
      onDrop(first);
    }
  }
}
