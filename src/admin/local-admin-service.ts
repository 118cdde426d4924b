import type { AuditReport } from '../audit/audit-report.ts';
import type { PackageUpdate } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import type { Page } from '../lib/page.ts';
import type { Operator, OperatorEvent } from '../storage/operator-log.ts';
import type {
  AdminOrder,
  AdminService,
  AuditParams,
  EraseResult,
  InstanceStatus,
  NewPackage,
  OrdersFound,
  OrdersQuery,
  Outcome,
  PackageStatus,
} from './admin-service.ts';
import { Audits, type AuditsOptions } from './audits.ts';
import { ChangeLog, type ChangeLogOptions } from './change-log.ts';
import { ClusterView, type ClusterViewOptions } from './cluster-view.ts';
import { Eraser, type EraserOptions } from './eraser.ts';
import { InstanceRegister } from './instance-register.ts';
import { OrderService } from './order-service.ts';
import { PackageService, type PackageServiceOptions } from './package-service.ts';
import { RevokedSessions } from './revoked-sessions.ts';

export type AdminServiceOptions = ChangeLogOptions &
  ClusterViewOptions &
  Omit<PackageServiceOptions, 'cluster' | 'changes'> &
  Omit<EraserOptions, 'changes'> &
  AuditsOptions;

const changesDefault = 50;
const changesMax = 200;

/** All that operators see and do, put together. */
export class LocalAdminService implements AdminService {
  readonly #options: AdminServiceOptions;
  readonly #changes: ChangeLog;
  readonly #cluster: ClusterView;
  /** Absent where instances do not see each other. */
  readonly #register: InstanceRegister | undefined;
  readonly #packages: PackageService;
  readonly #orders: OrderService;
  readonly #eraser: Eraser;
  readonly #audits: Audits;
  readonly #sessions: RevokedSessions;

  constructor(options: AdminServiceOptions) {
    const changes = new ChangeLog(options);
    const cluster = new ClusterView(options);
    this.#options = options;
    this.#changes = changes;
    this.#cluster = cluster;
    const { peers } = options.engine;
    this.#register = peers && new InstanceRegister({ ...options, peers });
    this.#register?.start();
    this.#packages = new PackageService({ ...options, changes, cluster });
    this.#orders = new OrderService({ ...options, changes });
    this.#eraser = new Eraser({ ...options, changes });
    this.#audits = new Audits(options);
    this.#sessions = new RevokedSessions({ ...options, changes });
  }

  packages(): Promise<readonly PackageStatus[]> {
    return this.#packages.all();
  }

  package(id: number): Promise<PackageStatus | undefined> {
    return this.#packages.one(id);
  }

  create(by: Operator, wish: NewPackage): Promise<Outcome<TravelPackage>> {
    return this.#packages.create(by, wish);
  }

  amend(by: Operator, id: number, change: PackageUpdate): Promise<Outcome<TravelPackage>> {
    return this.#packages.amend(by, id, change);
  }

  pause(by: Operator, id: number, paused: boolean): Promise<Outcome<TravelPackage>> {
    return this.#packages.pause(by, id, paused);
  }

  archive(by: Operator, id: number): Promise<Outcome<TravelPackage>> {
    return this.#packages.archive(by, id);
  }

  remove(by: Operator, id: number): Promise<Outcome<TravelPackage>> {
    return this.#packages.remove(by, id);
  }

  async instances(): Promise<readonly InstanceStatus[]> {
    const members = await this.#cluster.instances();
    const ids = new Set(members.map(({ id }) => id));
    const lost = (this.#register?.lost ?? []).filter(({ id }) => !ids.has(id));
    for (const { id } of lost) ids.add(id);
    const silent = (this.#register?.silent ?? []).filter((id) => !ids.has(id));
    return [
      ...members,
      ...silent.map((id) => ({ id, isThis: false, state: 'silent' }) as const),
      ...lost.map((each) => ({ ...each, isThis: false, state: 'lost' }) as const),
    ];
  }

  dismissInstance(by: Operator, instance: string): Promise<Outcome<{ readonly instance: string }>> {
    const asked = { by, action: 'instance.dismiss', target: { instance } } as const;
    return this.#changes.record<{ readonly instance: string }>(asked, async () => {
      const isDone = (await this.#register?.dismiss(instance)) === true;
      return isDone ? { kind: 'done', value: { instance } } : { kind: 'refused', code: 'unknown_instance' };
    });
  }

  /** This instance has given everything away: nobody shall take it for lost. */
  async left(): Promise<void> {
    await this.#register?.leave();
  }

  drain(by: Operator, instance: string): Promise<Outcome<{ readonly instance: string }>> {
    const asked = { by, action: 'instance.drain', target: { instance } } as const;
    return this.#changes.record(asked, () => this.#cluster.drain(instance));
  }

  orders(query: OrdersQuery): Promise<OrdersFound> {
    return this.#orders.find(query);
  }

  ordersOfEmail(email: string, cursor?: string, limit?: number): Promise<OrdersFound> {
    return this.#orders.ofEmail(email, cursor, limit);
  }

  order(id: string): Promise<AdminOrder | undefined> {
    return this.#orders.one(id);
  }

  retryOrder(by: Operator, id: string): Promise<Outcome<Order>> {
    return this.#orders.retry(by, id);
  }

  cancelOrder(by: Operator, id: string): Promise<Outcome<Order>> {
    return this.#orders.cancel(by, id);
  }

  erase(by: Operator, email: string): Promise<Outcome<EraseResult>> {
    return this.#eraser.erase(by, email);
  }

  audit(wish?: AuditParams): Promise<Outcome<AuditReport>> {
    return this.#audits.run(wish);
  }

  changes(cursor?: string, limit = changesDefault): Promise<Page<OperatorEvent>> {
    return this.#options.store.operatorEvents(cursor, Math.min(limit, changesMax));
  }

  sessionStarted(by: Operator): Promise<Outcome<true>> {
    return this.#sessions.started(by);
  }

  endSession(by: Operator): Promise<Outcome<true>> {
    return this.#sessions.end(by);
  }

  isSessionEnded(session: string): Promise<boolean> {
    return this.#sessions.isEnded(session);
  }
}
