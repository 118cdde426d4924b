import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Imported files as paths from the root, and packages by name. */
  readonly imports: readonly string[];
  readonly isTest: boolean;
}

const files = ['src', 'test', 'tools', 'bench', 'clients'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.split(sep).join('/')}`)
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/\/(node_modules|dist)\//.test(path))
    .map(readSource),
);
const product = files.filter(({ path, isTest }) => path.startsWith('src/') && !isTest);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = [...codeOf(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(?<specifier>[^'\n]+)'/g)];
  return {
    path,
    text,
    isTest: /\.test\.ts$/.test(path),
    imports: specifiers.map(({ groups }) => {
      const specifier = groups?.specifier as string;
      if (!specifier.startsWith('.')) return specifier;
      return relative(root, resolve(root, dirname(path), specifier))
        .split(sep)
        .join('/');
    }),
  };
}

/** Code without comments, so that a comment never breaks a rule. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<=^|\s)\/\/.*$/gm, '');
}

/** `storage` for `src/storage/sqlite/reads.ts`. */
function subjectOf(path: string): string {
  return path.split('/')[1] as string;
}

/** Contracts between subjects. Everyone but the domain and lib may import them. */
const ports: ReadonlySet<string> = new Set([
  'src/audit/audit-report.ts',
  'src/cluster/lease.ts',
  'src/cluster/messages.ts',
  'src/engine/engine.ts',
  'src/engine/operated-engine.ts',
  'src/engine/queue/work-queue.ts',
  'src/notifications/notifications.ts',
  'src/observability/log.ts',
  'src/observability/metrics.ts',
  'src/observability/process-load.ts',
  'src/observability/tracing.ts',
  'src/rate-limits/rate-limits.ts',
  'src/realtime/live-bus.ts',
  'src/storage/archive-store.ts',
  'src/storage/operator-log.ts',
  'src/storage/outbox.ts',
  'src/storage/store.ts',
  'src/suppliers/suppliers.ts',
]);

/** The subjects whose files each subject may import, in addition to `domain`, `lib` and the ports. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: [],
  config: [],
  observability: ['config'],
  storage: [],
  suppliers: [],
  cluster: ['config'],
  'rate-limits': [],
  saga: [],
  engine: ['saga'],
  audit: [],
  archive: [],
  calendar: [],
  notifications: ['calendar', 'http'],
  http: ['calendar', 'rate-limits'],
  realtime: ['http', 'rate-limits'],
  admin: ['audit', 'http', 'rate-limits', 'realtime'],
  openapi: ['admin', 'http', 'notifications', 'realtime'],
};
/** The parts that compose the others and may import everything. */
const seesEverything: ReadonlySet<string> = new Set(['commands', 'compose', 'main.ts', 'start.mjs']);

/**
 * The files that show the time, store it, or compare it with a stored time. It may jump, so no other age, interval or
 * deadline is measured with it.
 */
const usesUnixTime: ReadonlySet<string> = new Set([
  'src/admin/admin-auth.ts',
  'src/admin/change-log.ts',
  'src/admin/instance-register.ts',
  'src/admin/instance-service.ts',
  'src/admin/order-service.ts',
  'src/admin/package-service.ts',
  'src/admin/pages/context.ts',
  'src/admin/pages/feed.ts',
  'src/admin/pages/overview.ts',
  'src/admin/pages/package-routes.ts',
  'src/admin/revoked-sessions.ts',
  'src/archive/archive.ts',
  'src/cluster/redis/held-lease.ts',
  'src/cluster/redis/redis-time.ts',
  'src/engine/actor/package-actor.ts',
  'src/engine/lock/lock-engine.ts',
  'src/engine/queue/consumer.ts',
  'src/engine/shell.ts',
  'src/engine/strategies/optimistic-transactions.ts',
  'src/engine/strategies/strategy-engine.ts',
  'src/engine/strategies/unowned-sagas.ts',
  'src/http/api/orders.ts',
  'src/http/pages/lost-orders.ts',
  'src/http/pages/responses.ts',
  'src/http/pages/result-routes.ts',
  'src/notifications/lane.ts',
  'src/notifications/webhook/webhook-channel.ts',
  'src/realtime/fanout.ts',
  'src/realtime/hub.ts',
  'src/realtime/package-feed.ts',
  'src/saga/saga-runner.ts',
  'src/saga/saga.ts',
  'src/suppliers/package-breakers.ts',
  'src/suppliers/payment-events.ts',
  'src/suppliers/simulated-suppliers.ts',
]);

/** `why` for each file that breaks a rule; empty when none does. */
function breaches(
  of: readonly SourceFile[],
  rule: (file: SourceFile) => string | readonly string[] | undefined,
): string[] {
  return of.flatMap((file) => [rule(file) ?? []].flat().map((why) => `${file.path}: ${why}`));
}

describe('architecture', () => {
  it('reads the sources and their imports', () => {
    expect(product.length).toBeGreaterThan(200);
    const problem = files.find(({ path }) => path === 'src/http/problem.ts');
    expect(problem?.imports).toEqual(
      expect.arrayContaining(['hono', 'src/domain/errors.ts', 'src/http/json.ts']),
    );
  });

  it('has only known subjects as folders in src', () => {
    const known = new Set([...Object.keys(mayImport), ...seesEverything, 'start.system.test.ts']);
    const found = breaches(files, ({ path }) =>
      path.startsWith('src/') && !known.has(subjectOf(path)) ? 'stands in no subject' : undefined,
    );
    expect(found).toEqual([]);
  });

  it('has ports that import only the domain, lib and other ports', () => {
    const paths = new Set(product.map(({ path }) => path));
    expect([...ports].filter((path) => !paths.has(path))).toEqual([]);
    const found = breaches(
      product.filter(({ path }) => ports.has(path)),
      ({ imports }) =>
        imports.filter(
          (target) => target.startsWith('src/') && !/^src\/(domain|lib)\//.test(target) && !ports.has(target),
        ),
    );
    expect(found).toEqual([]);
  });

  it('imports in one direction', () => {
    const found = breaches(product, ({ path, imports }) => {
      const subject = subjectOf(path);
      if (seesEverything.has(subject)) return undefined;
      return imports.filter((target) => {
        if (!target.startsWith('src/')) return false;
        const other = subjectOf(target);
        if (other === subject) return false;
        if (subject === 'domain' || subject === 'lib') return true;
        return !/^(domain|lib)$/.test(other) && !ports.has(target) && !mayImport[subject]?.includes(other);
      });
    });
    expect(found).toEqual([]);
  });

  it('has no cycle between files, type imports included', () => {
    expect(cycles(files)).toEqual([]);
  });

  it('matches the diagram in docs/architecture.md', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const drawn = [...text.matchAll(/^ {2}([\w-]+) --> ([\w-]+)$/gm)].map(([, from, to]) => `${from} ${to}`);
    const ruled = Object.entries(mayImport).flatMap(([from, others]) => others.map((to) => `${from} ${to}`));
    expect(drawn.toSorted()).toEqual(ruled.toSorted());
  });

  it('does not import tests, tools or benches in the product', () => {
    const found = breaches(product, ({ imports }) =>
      imports.filter((target) => /^(test|tools|bench|clients)\//.test(target)),
    );
    expect(found).toEqual([]);
  });

  it('has clients that import nothing but their own files, so that they run anywhere', () => {
    const clients = files.filter(({ path, isTest }) => path.startsWith('clients/') && !isTest);
    const found = breaches(clients, ({ path, imports }) =>
      imports.filter((target) => !target.startsWith(`${dirname(path)}/`)),
    );
    expect(found).toEqual([]);
    expect(clients.length).toBeGreaterThan(5);
  });

  it('keeps the domain free of packages and of Node', () => {
    const found = breaches(product, ({ path, imports }) =>
      path.startsWith('src/domain/') ? imports.filter((target) => !target.startsWith('src/')) : undefined,
    );
    expect(found).toEqual([]);
  });

  it('has a chaos checker that shares no code with the server', () => {
    const own = /^test\/chaos\/(checker\/|history\.ts$)/;
    const checker = files.filter(({ path, isTest }) => own.test(path) && !isTest);
    const found = breaches(checker, ({ imports }) =>
      imports.filter((target) => !own.test(target) && !/^(mongodb$|node:)/.test(target)),
    );
    expect(found).toEqual([]);
    expect(checker.length).toBeGreaterThan(10);
  });

  it('reads the environment in one file', () => {
    const found = breaches(product, ({ path, text }) =>
      path !== 'src/config/config.ts' && /process\.env|import\.meta\.env/.test(codeOf(text))
        ? 'reads the environment'
        : undefined,
    );
    expect(found).toEqual([]);
  });

  it('uses no clock and no randomness in decide()', () => {
    const pure = /^src\/(domain|engine|saga|audit|admin\/[^/]+\.ts)/;
    const clockOrChance =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bset(Timeout|Interval|Immediate)\b|\bperformance\.now\b|\bprocess\.hrtime\b|AbortSignal\.timeout/;
    const found = breaches(product, ({ path, text }) =>
      pure.test(path) ? clockOrChance.exec(codeOf(text))?.[0] : undefined,
    );
    expect(found).toEqual([]);
  });

  it('measures ages and intervals with the monotonic clock', () => {
    const users = product.filter(
      ({ path, text }) => path !== 'src/lib/clock.ts' && /\b(clock|Date)\.now\b/.test(codeOf(text)),
    );
    const found = breaches(users, ({ path }) =>
      usesUnixTime.has(path)
        ? undefined
        : 'uses the time, which may jump. Use monotonic() for ages, intervals and deadlines. List the file in usesUnixTime only if it shows the time, stores it, or compares it with a stored time',
    );
    expect(found).toEqual([]);
    const paths = new Set(users.map(({ path }) => path));
    expect([...usesUnixTime].filter((path) => !paths.has(path))).toEqual([]);
  });

  it('keeps files small', () => {
    const found = breaches(files, ({ path, text, isTest }) => {
      const linesMax = isTest || !path.startsWith('src/') ? 600 : 400;
      const lines = text.split('\n').length;
      return lines > linesMax ? `${lines} lines, at most ${linesMax}` : undefined;
    });
    expect(found).toEqual([]);
  });
});

/** Import cycles: Tarjan's strongly connected components of more than one file. */
function cycles(all: readonly SourceFile[]): string[] {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const visit = (path: string): void => {
    const order = index.size;
    index.set(path, order);
    low.set(path, order);
    stack.push(path);
    for (const target of byPath.get(path)?.imports ?? []) {
      if (!byPath.has(target)) continue;
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(path, Math.min(low.get(path) as number, low.get(target) as number));
    }
    if (low.get(path) !== order) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1 || byPath.get(path)?.imports.includes(path)) found.push(group.toSorted().join(', '));
  };
  for (const path of byPath.keys()) if (!index.has(path)) visit(path);
  return found;
}
