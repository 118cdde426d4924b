import type { OperatedEngine, Result } from '../engine/operated-engine.ts';
import { Cached } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { ProcessLoad } from '../observability/process-load.ts';
import type { Operator } from '../storage/operator-log.ts';
import type { FailingSupplier } from '../suppliers/suppliers.ts';
import type { ChangeLog } from './change-log.ts';
import type { AbsentInstance, InstanceRegister, LostInstance } from './instance-register.ts';
import { decodeStatusReport, ReadinessProbe, type StatusReport, statusReportOf } from './instance-status.ts';

export type InstanceStatus =
  | ({ readonly isThis: false; readonly state: 'lost' } & LostInstance)
  /** An instance that did not answer in time, or has just gone. */
  | ({ readonly isThis: false } & AbsentInstance)
  | ({
      readonly id: string;
      /** Whether this entry describes the instance that serves the request. */
      readonly isThis: boolean;
    } & Omit<StatusReport, 'packages' | 'others'>);

export interface InstanceServiceOptions {
  readonly engine: Pick<OperatedEngine, 'load' | 'readinessProblems' | 'peers' | 'suppliersMostlyAvailable'>;
  readonly clock: Clock;
  /** The name of this instance. */
  readonly instance: string;
  /** The version of the program. */
  readonly version: string;
  readonly processLoad: () => ProcessLoad;
  /** Counts open WebSockets. */
  readonly sockets: () => number;
  /** The packages for which the suppliers do not answer this instance. */
  readonly failing: () => readonly FailingSupplier[];
  /** Begins to drain this instance, as SIGTERM does. */
  readonly leave: () => void;
}

/** The report of each member, by instance name; undefined for a member that does not answer. */
export type StatusReports = ReadonlyMap<string, StatusReport | undefined>;

const answerTimeoutMs = 700;
const reportsMaxAgeMs = 1_000;
/** Delay of the drain, so that the answer to the request is sent first. */
const leaveAfterMs = 200;

/** Lists the instances, drains them, and dismisses lost ones. Every change is logged; see {@link ChangeLog}. */
export class InstanceService {
  readonly #options: InstanceServiceOptions;
  readonly #changes: Pick<ChangeLog, 'record'>;
  /** Undefined for a single instance without a cluster. */
  readonly #register: InstanceRegister | undefined;
  readonly #startedAt: number;
  readonly #readiness: ReadinessProbe;
  readonly #reports: Cached<StatusReports>;
  #isLeaving = false;

  constructor(
    options: InstanceServiceOptions,
    changes: Pick<ChangeLog, 'record'>,
    register?: InstanceRegister,
  ) {
    const { clock, engine } = options;
    this.#options = options;
    this.#changes = changes;
    this.#register = register;
    this.#startedAt = clock.now();
    this.#readiness = new ReadinessProbe(engine, clock);
    this.#reports = new Cached(() => this.#collect(), { clock, maxAgeMs: reportsMaxAgeMs });
    engine.peers?.serve({
      status: async () => (await this.#ownReport()) satisfies Json,
      drain: () => this.#leave(),
    });
    register?.start();
  }

  /** The status reports of all members, at most a second old. All members are asked at the same time. */
  reports(): Promise<StatusReports> {
    return this.#reports.get();
  }

  /**
   * First the members of the cluster by id, or this instance alone if there is no cluster. Then the absent instances.
   * Last the instances that were lost in the last day, unless an operator has dismissed them or they have come back.
   */
  async list(): Promise<readonly InstanceStatus[]> {
    const reports = await this.reports();
    const members = [...reports].map(([id, report]): InstanceStatus => {
      if (report === undefined) return { id, isThis: false, state: 'silent' };
      const { packages: _packages, others: _others, ...shown } = report;
      return { id, isThis: id === this.#options.instance, ...shown };
    });
    const lost = (this.#register?.lost ?? []).filter(({ id }) => !reports.has(id));
    const isKnown = (id: string) => reports.has(id) || lost.some((each) => each.id === id);
    const absent = (this.#register?.absent ?? []).filter(({ id }) => !isKnown(id));
    return [
      ...members,
      ...absent.map((each) => ({ ...each, isThis: false }) as const),
      ...lost.map((each) => ({ ...each, isThis: false, state: 'lost' }) as const),
    ];
  }

  /**
   * Makes an instance leave as on SIGTERM: it stops being ready, gives its packages to the others, answers its callers,
   * sends its viewers to another instance (sockets close with 1012), and its process exits with 0. An orchestrator may
   * start it again. Resolves when the drain has begun. Refused with `unknown_instance`, or with `no_answer` if the
   * instance could not be reached.
   */
  drain(by: Operator, id: string): Promise<Result<{ instance: string }>> {
    const request = { by, action: 'instance.drain', target: { instance: id } } as const;
    return this.#changes.record(request, async () => {
      const { instance, engine } = this.#options;
      if (id === instance) this.#leave();
      else if (engine.peers?.members().includes(id) !== true) return unknownInstance;
      else if (!(await engine.peers.drain(id))) return { kind: 'refused', code: 'no_answer' };
      return { kind: 'done', value: { instance: id } };
    });
  }

  /** Removes a lost instance from the list. Refused with `unknown_instance` if no instance with this id is lost. */
  dismiss(by: Operator, id: string): Promise<Result<{ instance: string }>> {
    const request = { by, action: 'instance.dismiss', target: { instance: id } } as const;
    return this.#changes.record(request, async () => {
      const isDismissed = (await this.#register?.dismiss(id)) === true;
      return isDismissed ? { kind: 'done', value: { instance: id } } : unknownInstance;
    });
  }

  async #collect(): Promise<StatusReports> {
    const { instance, engine } = this.#options;
    const ids = [...new Set([...(engine.peers?.members() ?? []), instance])].sort();
    const reports = ids.map(
      async (id) => [id, await (id === instance ? this.#ownReport() : this.#ask(id))] as const,
    );
    return new Map(await Promise.all(reports));
  }

  async #ask(id: string): Promise<StatusReport | undefined> {
    const answer = await this.#options.engine.peers?.status(id, answerTimeoutMs);
    return answer === undefined ? undefined : decodeStatusReport(answer);
  }

  async #ownReport(): Promise<StatusReport> {
    const { engine, failing, processLoad, sockets, version } = this.#options;
    const missing = await this.#readiness.read();
    const load = engine.load();
    return statusReportOf({
      engine: { ...load, isDraining: load.isDraining || this.#isLeaving },
      missing,
      suppliersAvailable: engine.suppliersMostlyAvailable,
      failing: failing(),
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

const unknownInstance = { kind: 'refused', code: 'unknown_instance' } as const;
