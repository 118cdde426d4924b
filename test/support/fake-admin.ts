import { createHash } from 'node:crypto';
import type { HttpAdmin } from '../../src/admin/admin-auth.ts';
import type { AdminService } from '../../src/admin/admin-service.ts';
import type { DeadLetterSelection } from '../../src/admin/dead-letter-service.ts';
import type { LostInstance } from '../../src/admin/instance-register.ts';
import type { InstanceStatus } from '../../src/admin/instance-service.ts';
import type { AdminOrder } from '../../src/admin/order-service.ts';
import type { PackageStatus } from '../../src/admin/package-service.ts';
import type { Reconciled } from '../../src/audit/reconcile.ts';
import type { Activity, Result } from '../../src/engine/operated-engine.ts';
import { PackageIndex } from '../../src/engine/package-index.ts';
import { ProblemError } from '../../src/http/problem.ts';
import type { Operator, OperatorAction, OperatorEvent } from '../../src/storage/operator-log.ts';
import { type DeadLetter, noticeId } from '../../src/storage/outbox.ts';
import type { UnreadableError } from '../../src/storage/store.ts';
import { fakeNow, fakeOrder, fakeSnapshot } from './fake-engine.ts';

/** The state that the fake shows. A test may change it at any time. */
export interface FakeWorld {
  packages: PackageStatus[];
  instances: InstanceStatus[];
  orders: AdminOrder[];
  changes: OperatorEvent[];
  unreadable: UnreadableError[];
  reconciled: Reconciled[];
  deadLetters: DeadLetter[];
}

export interface FakeAdmin extends AdminService {
  readonly world: FakeWorld;
  /** The requested changes, oldest first, such as `pause 1`. */
  readonly calls: string[];
}

/** Methods of a test that replace methods of the fake. */
export type AdminOverrides = { readonly [Subject in keyof AdminService]?: Partial<AdminService[Subject]> };

export const fakeOperator: Operator = { name: 'admin', via: 'session', session: 'one', address: '127.0.0.1' };

/** A package on sale with an owner that is busy. */
export function fakeStatus(
  overrides: Partial<PackageStatus['package']> = {},
  inventory: Partial<PackageStatus['inventory']> = {},
  rest: Partial<PackageStatus> = {},
): PackageStatus {
  const { package: travelPackage, inventory: untouched } = fakeSnapshot({ quota: 50, ...overrides });
  return {
    package: travelPackage,
    inventory: { ...untouched, ...inventory },
    waitersMax: 64 * travelPackage.quota,
    owner: { instance: 'instance-1', epoch: 7, state: 'active' },
    activity: fakeActivity(),
    ...rest,
  };
}

/** The activity of one minute that begins quietly and ends in a rush. */
export function fakeActivity(peak = 12): Activity {
  const series = (of: (share: number) => number) => Array.from({ length: 60 }, (_, index) => of(index / 59));
  return {
    bucketMs: 1000,
    endedAt: fakeNow,
    purchasesPerS: series((share) => peak * share * share * (0.8 + 0.2 * Math.sin(40 * share))),
    batchSize: series((share) => 1 + 14 * share),
    commitMs: series((share) => 1 + 3 * share),
    recent: { purchasesPerS: peak, batchSize: 14.2, commitMs: 3.4 },
    mailbox: 3,
  };
}

export function fakeInstance(
  id: string,
  overrides: Partial<Extract<InstanceStatus, { load: unknown }>> = {},
): InstanceStatus {
  return {
    id,
    isThis: id === 'instance-1',
    state: 'ready',
    missing: [],
    suppliersAvailable: true,
    failing: [],
    startedAt: fakeNow - 7_200_000,
    version: '0.1.0',
    load: {
      packages: 14,
      mailbox: 3,
      sagas: 5,
      sockets: 230,
      eventLoopLagMs: 4.2,
      rssBytes: 184_000_000,
      purchasesPerS: 12.4,
    },
    ...overrides,
  };
}

/** An instance that was lost an hour ago, with five packages. */
export function fakeLost(id: string, overrides: Partial<LostInstance> = {}): InstanceStatus {
  return {
    ...{ id, isThis: false, state: 'lost', at: fakeNow - 3_600_000, noticedBy: 'instance-1' },
    ...{ packages: 5, firstPackages: [1, 2, 5, 8, 9] },
    ...{ takenOver: [{ instance: 'instance-1', packages: 4 }], unowned: 1 },
    ...overrides,
  };
}

/** An admin service over a state that the test sets up. Changes change this state as the real service would. */
export function fakeAdmin(start: Partial<FakeWorld> = {}, overrides: AdminOverrides = {}): FakeAdmin {
  const world: FakeWorld = {
    packages: [fakeStatus()],
    instances: [fakeInstance('instance-1'), fakeInstance('instance-2')],
    orders: [],
    changes: [],
    unreadable: [],
    reconciled: [],
    deadLetters: [],
    ...start,
  };
  const calls: string[] = [];
  const done = <Value>(value: Value) => ({ kind: 'done', value }) as const;
  const refused = (code: Extract<Result<never>, { kind: 'refused' }>['code']) =>
    ({ kind: 'refused', code }) as const;
  const find = (id: number) => world.packages.find((each) => each.package.id === id);
  const index = () => {
    const found = new PackageIndex(find, async () => {});
    for (const each of world.packages) found.change(each.package.id, undefined, each);
    return found;
  };
  const replace = (id: number, change: (status: PackageStatus) => PackageStatus) => {
    world.packages = world.packages.map((each) => (each.package.id === id ? change(each) : each));
  };
  const note = (action: OperatorAction, target: OperatorEvent['target']) => {
    const id = String(world.changes.length);
    world.changes.unshift({
      ...{ id, at: fakeNow, by: fakeOperator, instance: 'instance-1', action, target },
      ...{ outcome: 'done', endedAt: fakeNow },
    });
  };
  const orderOf = (id: string) => world.orders.find(({ order }) => order.id === id);

  const packages: AdminService['packages'] = {
    async list(query) {
      const { ids, ...page } = await index().find(query);
      return { items: ids.flatMap((id) => find(id) ?? []), ...page };
    },
    some: async (ids) => ids.flatMap((id) => find(id) ?? []),
    summary: async () => ({
      totals: index().totals('current'),
      archived: index().ids('archived').length,
      busy: index()
        .busy()
        .flatMap((each) => find(each.package.id) ?? []),
    }),
    freeId: async () => 1 + Math.max(0, ...index().ids('all')),
    get: async (id) => find(id),
    unreadable: async () => world.unreadable,
    async create(_by, params) {
      calls.push(`create ${params.id}`);
      const { id = 99 } = params;
      if (find(id) !== undefined) return refused('package_exists');
      world.packages = [...world.packages, fakeStatus({ ...params, id }, { remaining: params.quota })];
      note('package.create', { packageId: id });
      return done((find(id) as PackageStatus).package);
    },
    async update(_by, id, { version, ...change }) {
      calls.push(`amend ${id} ${JSON.stringify(change)}`);
      const status = find(id);
      if (status === undefined) return refused('unknown_package');
      if (version !== status.package.version) return refused('version_conflict');
      const { held, confirmed } = status.inventory;
      const quota = change.quota ?? status.package.quota;
      if (quota < held + confirmed) return refused('quota_too_low');
      const { opensAt: _opens, closesAt: _closes, ...rest } = { ...status.package, ...change };
      const times = Object.fromEntries(
        (['opensAt', 'closesAt'] as const)
          .map((name) => [name, change[name] === undefined ? status.package[name] : change[name]] as const)
          .filter(([, value]) => value !== undefined && value !== null),
      );
      replace(id, (each) => ({
        ...each,
        package: { ...rest, ...times, quota, version: version + 1 },
        inventory: { ...each.inventory, remaining: quota - held - confirmed },
      }));
      note('package.amend', { packageId: id });
      return done((find(id) as PackageStatus).package);
    },
    async setPaused(_by, id, paused) {
      calls.push(`${paused ? 'pause' : 'resume'} ${id}`);
      const status = find(id);
      if (status === undefined) return refused('unknown_package');
      if (status.package.archived === true) return refused('sale_closed');
      replace(id, ({ obstacle: _, package: { paused: __, ...travelPackage }, ...each }) => ({
        ...each,
        package: { ...travelPackage, ...(paused ? { paused } : {}), version: travelPackage.version + 1 },
        ...(paused ? { obstacle: 'paused' } : {}),
      }));
      note(paused ? 'package.pause' : 'package.resume', { packageId: id });
      return done((find(id) as PackageStatus).package);
    },
    async archive(_by, id) {
      calls.push(`archive ${id}`);
      const status = find(id);
      if (status === undefined) return refused('unknown_package');
      const { waiting, held, cancelling } = status.inventory;
      if (status.obstacle === undefined || waiting + held + cancelling > 0) return refused('sale_not_ended');
      replace(id, (each) => ({
        ...each,
        package: { ...each.package, archived: true, version: each.package.version + 1 },
        obstacle: 'sale_closed',
      }));
      note('package.archive', { packageId: id });
      return done((find(id) as PackageStatus).package);
    },
    async delete(_by, id) {
      calls.push(`delete ${id}`);
      const status = find(id);
      if (status === undefined) return refused('unknown_package');
      if (status.inventory.nextNumber !== 1) return refused('package_not_empty');
      world.packages = world.packages.filter((each) => each !== status);
      note('package.delete', { packageId: id });
      return done(status.package);
    },
  };
  const instances: AdminService['instances'] = {
    reports: async () => new Map(),
    list: async () => world.instances,
    async drain(_by, instance) {
      calls.push(`drain ${instance}`);
      if (!world.instances.some(({ id }) => id === instance)) return refused('unknown_instance');
      world.instances = world.instances.map((each) =>
        each.id === instance && 'load' in each ? { ...each, state: 'draining' } : each,
      );
      return done({ instance });
    },
    async dismiss(_by, instance) {
      calls.push(`dismiss ${instance}`);
      const found = world.instances.find(({ id, state }) => id === instance && state === 'lost');
      if (found === undefined) return refused('unknown_instance');
      world.instances = world.instances.filter((each) => each !== found);
      note('instance.dismiss', { instance });
      return done({ instance });
    },
  };
  const orders: AdminService['orders'] = {
    list: async ({ stuck = false, packageId, status, limit = 50 }) => ({
      items: world.orders
        .filter(({ health }) => !stuck || health !== undefined)
        .filter(({ order }) => packageId === undefined || order.packageId === packageId)
        .filter(({ order }) => status === undefined || order.status === status)
        .slice(0, limit),
    }),
    listByEmail: async (email, _cursor, limit = 50) => ({
      items: world.orders.filter(({ order }) => order.email === email).slice(0, limit),
    }),
    async *exportPages({ packageId, status, from = 0, to = Number.POSITIVE_INFINITY }) {
      yield world.orders.filter(
        ({ order }) =>
          (packageId === undefined || order.packageId === packageId) &&
          (status === undefined || order.status === status) &&
          order.createdAt >= from &&
          order.createdAt < to,
      );
    },
    get: async (id) => orderOf(id),
    async retry(_by, id) {
      calls.push(`retry ${id}`);
      return done(orderOf(id)?.order ?? fakeOrder());
    },
    async cancel(_by, id) {
      calls.push(`cancel ${id}`);
      const order = orderOf(id)?.order ?? fakeOrder();
      if (order.status === 'held') return refused('in_progress');
      return done({ ...order, status: order.status === 'queued' ? 'withdrawn' : 'cancelling' });
    },
  };
  const eraser: AdminService['eraser'] = {
    async erase(_by, email) {
      calls.push(`erase ${email}`);
      return done({ erased: 12, left: 1 });
    },
  };
  const takeDeadLetters = ({ ids, channel }: DeadLetterSelection): number => {
    const isMeant = (letter: DeadLetter) => ids?.includes(noticeId(letter)) ?? letter.channel === channel;
    const left = world.deadLetters.filter((letter) => !isMeant(letter));
    const taken = world.deadLetters.length - left.length;
    world.deadLetters = left;
    return taken;
  };
  const deadLetters: AdminService['deadLetters'] = {
    list: async (_cursor, limit = 50) => ({ items: world.deadLetters.slice(0, limit) }),
    recent: async () => world.deadLetters,
    async retry(_by, selection) {
      calls.push(`retry dead letters ${selection.channel ?? selection.ids?.join(' ')}`);
      const retried = takeDeadLetters(selection);
      note('notice.retry', {});
      return done({ retried, outdated: 0, channelOff: 0 });
    },
    async discard(_by, selection) {
      calls.push(`discard dead letters ${selection.channel ?? selection.ids?.join(' ')}`);
      const discarded = takeDeadLetters(selection);
      note('notice.discard', {});
      return done({ discarded });
    },
  };
  const sessions: AdminService['sessions'] = {
    started: async () => done(true as const),
    revoke: async () => done(true as const),
    isRevoked: async () => false,
  };
  return {
    world,
    calls,
    packages: { ...packages, ...overrides.packages },
    orders: { ...orders, ...overrides.orders },
    instances: { ...instances, ...overrides.instances },
    eraser: { ...eraser, ...overrides.eraser },
    deadLetters: { ...deadLetters, ...overrides.deadLetters },
    audits: {
      run: async () => refused('audit_running'),
      reconcile: async () => done(reconciledPages(world.reconciled)),
      ...overrides.audits,
    },
    changes: {
      list: async (_cursor, limit = 50) => ({ items: world.changes.slice(0, limit) }),
      ...overrides.changes,
    },
    sessions: { ...sessions, ...overrides.sessions },
  };
}

async function* reconciledPages(rows: readonly Reconciled[]): AsyncGenerator<readonly Reconciled[]> {
  yield [];
  yield rows;
}

/**
 * Signs in every caller with this token, with a cookie that anybody could make. Programs send `bearer`. With
 * `mayChange` false the operator may only read.
 */
export function fakeAuth(
  token = 'open-sesame',
  bearer = token,
  { mayChange = true } = {},
): HttpAdmin['auth'] {
  const value = createHash('sha256').update(token).digest('base64url');
  const cookie = `admin=${value}`;
  const unauthorized = () => new ProblemError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer' } });
  const access = { operator: fakeOperator, mayChange };
  const accessWith = async (cookies?: string) =>
    cookies?.split('; ').includes(cookie) === true ? access : undefined;
  return {
    async identify(request) {
      if (request.headers.get('authorization') === `Bearer ${bearer}`) return access;
      throw unauthorized();
    },
    requireChange({ mayChange: may }) {
      if (!may) throw new ProblemError('read_only');
    },
    async logIn(given) {
      if (given === 'again and again') throw new ProblemError('rate_limited', { retryAfterS: 42 });
      if (given !== token) throw unauthorized();
      return `${cookie}; Path=/; HttpOnly; SameSite=Strict`;
    },
    access: accessWith,
    watcher: accessWith,
    logOut: async () => 'admin=; Max-Age=0; Path=/',
  };
}
