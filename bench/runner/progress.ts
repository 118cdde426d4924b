/** What is going on, on standard error: one line that is redrawn on a terminal, a line for each step elsewhere. */
export interface Progress {
  /** A step of the bench: it stays in the log where there is no terminal. */
  step(line: string): void;
  /** How fast it goes, behind the step; only on a terminal. */
  pace(perSecond: number): void;
  clear(): void;
}

const clearLine = '\r\u001b[K';

export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let step = '';
  const startedAt = performance.now();
  const draw = (text: string) => {
    const width = (stream.columns ?? 80) - 1;
    stream.write(`${clearLine}${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
  };
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`.padStart(6);
  return {
    step(line) {
      if (line === step) return;
      step = line;
      if (stream.isTTY) draw(`${elapsed()}  ${line}`);
      else stream.write(`${elapsed()}  ${line}\n`);
    },
    pace(perSecond) {
      if (stream.isTTY) draw(`${elapsed()}  ${step}: ${Math.round(perSecond).toLocaleString('en')}/s`);
    },
    clear() {
      if (stream.isTTY) stream.write(clearLine);
    },
  };
}
