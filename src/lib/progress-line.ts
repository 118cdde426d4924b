/**
 * Shows the progress of a command on stderr: on a terminal in one changing line, elsewhere only on request, line by
 * line.
 */
export class ProgressLine {
  readonly #isAsked: boolean;
  readonly #stderr: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;
  #isShown = false;
  #last = '';

  constructor(isAsked: boolean, stderr: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr) {
    this.#isAsked = isAsked;
    this.#stderr = stderr;
  }

  show(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    if (this.#stderr.isTTY) {
      this.#isShown = true;
      this.#stderr.write(`\r${text}\u001b[K`);
    } else if (this.#isAsked) this.#stderr.write(`${text}\n`);
  }

  clear(): void {
    if (this.#isShown) this.#stderr.write('\r\u001b[K');
    this.#isShown = false;
  }
}
