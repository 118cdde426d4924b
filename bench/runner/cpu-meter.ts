import { cpuSeconds } from './processes.ts';

/** Measures the CPU time of processes while work runs. If loads run in it, only their measured windows count. */
export class CpuMeter {
  readonly #readings = new Set<Reading>();
  readonly #read: Read;

  /** @param read the CPU seconds used by processes, and the time in ms. */
  constructor(read: Read = (pids) => ({ at: performance.now(), cpu: cpuSeconds(pids) })) {
    this.#read = read;
  }

  /** The measured window of a load begins. */
  windowBegins(): void {
    for (const reading of this.#readings) reading.begin();
  }

  windowEnds(): void {
    for (const reading of this.#readings) reading.end();
  }

  async coresOf<T>(pids: readonly number[], work: () => Promise<T>): Promise<{ result: T; cores: number }> {
    const reading = new Reading(() => this.#read(pids));
    this.#readings.add(reading);
    try {
      const result = await work();
      return { result, cores: reading.cores() };
    } finally {
      this.#readings.delete(reading);
    }
  }
}

type Read = (pids: readonly number[]) => Moment;

interface Moment {
  readonly at: number;
  readonly cpu: number;
}

class Reading {
  readonly #now: () => Moment;
  readonly #begun: Moment;
  #windowBegun: Moment | undefined;
  #inWindows = { seconds: 0, cpu: 0 };

  constructor(now: () => Moment) {
    this.#now = now;
    this.#begun = now();
  }

  begin(): void {
    this.#windowBegun = this.#now();
  }

  end(): void {
    if (this.#windowBegun === undefined) return;
    const { seconds, cpu } = since(this.#windowBegun, this.#now());
    this.#inWindows = { seconds: this.#inWindows.seconds + seconds, cpu: this.#inWindows.cpu + cpu };
    this.#windowBegun = undefined;
  }

  cores(): number {
    const { seconds, cpu } = this.#inWindows.seconds > 0 ? this.#inWindows : since(this.#begun, this.#now());
    return seconds > 0 ? cpu / seconds : 0;
  }
}

function since(begun: Moment, now: Moment): { seconds: number; cpu: number } {
  return { seconds: (now.at - begun.at) / 1000, cpu: now.cpu - begun.cpu };
}
