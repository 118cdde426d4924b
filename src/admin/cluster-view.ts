import type { OperatedEngine, Peers } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProcessLoad } from '../observability/process-load.ts';
import type { InstanceStatus, Outcome } from './admin-service.ts';
import { decodeStatus, encodeStatus, type OwnStatus, statusOf } from './instance-status.ts';
import { keptFor } from './kept.ts';
import { ReadinessProbe } from './readiness-probe.ts';

export interface ClusterViewOptions {
  readonly engine: Pick<OperatedEngine, 'load' | 'readinessProblems' | 'peers' | 'suppliersAvailable'>;
  readonly clock: Clock;
  /** Of this instance. */
  readonly instance: string;
  /** Of the program. */
  readonly version: string;
  readonly processLoad: () => ProcessLoad;
  /** Open WebSockets. */
  readonly sockets: () => number;
  /** Has this instance leave, as on SIGTERM. */
  readonly leave: () => void;
}

/** By instance; undefined for a member that is silent. */
export type Statuses = ReadonlyMap<string, OwnStatus | undefined>;

const answerWithinMs = 700;
const keptMs = 1_000;
/** So that whoever asked hears that it has begun. */
const leaveAfterMs = 200;

/** The instances as they tell of themselves, asked all at once, and once a second at most. */
export class ClusterView {
  readonly #options: ClusterViewOptions;
  readonly #startedAt: number;
  readonly #peers: Peers | undefined;
  readonly #missing: ReadinessProbe;
  #isLeaving = false;
  /** By instance. */
  readonly statuses: () => Promise<Statuses>;

  constructor(options: ClusterViewOptions) {
    const { clock, engine } = options;
    this.#options = options;
    this.#startedAt = clock.now();
    this.#peers = engine.peers;
    this.#missing = new ReadinessProbe(engine, clock);
    this.statuses = keptFor(keptMs, clock, () => this.#collect());
    this.#peers?.serve({
      status: async () => encodeStatus(await this.#own()),
      drain: () => this.#leave(),
    });
  }

  async instances(): Promise<InstanceStatus[]> {
    const statuses = await this.statuses();
    return [...statuses].map(([id, status]) => {
      if (status === undefined) return { id, isThis: false, state: 'silent' };
      const { packages: _packages, others: _others, ...shown } = status;
      return { id, isThis: id === this.#options.instance, ...shown };
    });
  }

  /** Answers when the instance has been told. */
  async drain(id: string): Promise<Outcome<{ readonly instance: string }>> {
    if (id === this.#options.instance) {
      this.#leave();
      return { kind: 'done', value: { instance: id } };
    }
    if (this.#peers?.members().includes(id) !== true) return { kind: 'refused', code: 'unknown_instance' };
    const isTold = await this.#peers.drain(id);
    return isTold ? { kind: 'done', value: { instance: id } } : { kind: 'refused', code: 'no_answer' };
  }

  async #collect(): Promise<Statuses> {
    const { instance } = this.#options;
    const ids = [...new Set([...(this.#peers?.members() ?? []), instance])].sort();
    const all = ids.map(async (id) => [id, await (id === instance ? this.#own() : this.#ask(id))] as const);
    return new Map(await Promise.all(all));
  }

  async #ask(id: string): Promise<OwnStatus | undefined> {
    const answer = await this.#peers?.status(id, answerWithinMs);
    return answer === undefined ? undefined : decodeStatus(answer);
  }

  async #own(): Promise<OwnStatus> {
    const { engine, processLoad, sockets, version } = this.#options;
    const missing = await this.#missing.read();
    const load = engine.load();
    const isDraining = load.isDraining || this.#isLeaving;
    return statusOf({
      engine: { ...load, isDraining },
      missing,
      suppliersAvailable: engine.suppliersAvailable,
      process: processLoad(),
      sockets: sockets(),
      startedAt: this.#startedAt,
      version,
    });
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const { clock, leave } = this.#options;
    void clock.sleep(leaveAfterMs).then(leave);
  }
}
