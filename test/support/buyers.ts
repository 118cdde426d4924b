import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { OrderView } from '../../src/http/api/views.ts';
import { allPackages } from './all-packages.ts';
import type { Cluster } from './cluster.ts';

/** One purchase attempt with its answer. */
export interface Attempt {
  readonly packageId: number;
  readonly email: string;
  readonly key: string;
  readonly origin: string;
  /** Unix time in ms. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** The answer. Absent if the connection failed, so that the outcome is unknown. */
  readonly answer?: AttemptAnswer;
}

export interface AttemptAnswer {
  readonly status: number;
  readonly code?: string;
  readonly order?: OrderView;
  /** The body as text. */
  readonly text: string;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
}

export interface AttemptParams {
  readonly packageId: number;
  readonly email: string;
  readonly key: string;
  readonly prefer?: string;
}

export async function attemptPurchase(origin: string, purchase: AttemptParams): Promise<Attempt> {
  const { packageId, email, key } = purchase;
  const sentAt = Date.now();
  const answer = await send(origin, purchase).catch(() => undefined);
  const attempted = { packageId, email, key, origin, sentAt, endedAt: Date.now() };
  return answer === undefined ? attempted : { ...attempted, answer };
}

async function send(
  origin: string,
  { packageId, email, key, prefer }: AttemptParams,
): Promise<AttemptAnswer> {
  const response = await fetch(`${origin}/api/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': key,
      ...(prefer === undefined ? {} : { prefer }),
    },
    body: JSON.stringify({ packageId, email }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  const body = JSON.parse(text) as OrderView & { code?: string; order?: OrderView };
  const order = body.code === undefined ? body : body.order;
  return {
    status: response.status,
    text,
    contentType: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    ...(body.code === undefined ? {} : { code: body.code }),
    ...(order === undefined ? {} : { order }),
  };
}

export interface BuyersOptions {
  /** The origins to buy from, read for each purchase and used in turn. */
  readonly origins: () => readonly string[];
  /** The package of the nth purchase. */
  readonly packageOf: (nth: number) => number;
  /** Number of concurrent purchases. */
  readonly concurrency: number;
  /** The total number of purchases. Default: no limit until `stop`. */
  readonly purchases?: number;
  /** Pause of each buyer between two purchases, in ms; default 0. */
  readonly pauseMs?: number;
  readonly prefer?: string;
}

export interface Buyers {
  /** All attempts so far, in the order of their answers. */
  readonly history: readonly Attempt[];
  /** Resolves when all purchases are answered. */
  readonly done: Promise<readonly Attempt[]>;
  /** Starts no more purchases. Resolves when the purchases under way are answered. */
  stop(): Promise<readonly Attempt[]>;
}

/**
 * Starts concurrent buyers. After a 503 or a lost connection a buyer repeats the purchase with the same key at the next
 * instance, until the answer is definite or `stop` is called. Each repetition is an attempt of its own.
 */
export function startBuyers(options: BuyersOptions): Buyers {
  const {
    origins,
    packageOf,
    concurrency,
    purchases = Number.POSITIVE_INFINITY,
    pauseMs = 0,
    prefer,
  } = options;
  const run = Math.random().toString(36).slice(2, 8);
  const history: Attempt[] = [];
  let isStopped = false;
  let count = 0;
  let turn = 0;

  async function buyer(): Promise<void> {
    while (!isStopped && count < purchases) {
      const nth = count++;
      await buyOnce({
        packageId: packageOf(nth),
        email: `buyer-${run}-${nth}@example.com`,
        key: `${run}-${nth}`,
        ...(prefer === undefined ? {} : { prefer }),
      });
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }

  async function buyOnce(purchase: AttemptParams): Promise<void> {
    for (;;) {
      const all = origins();
      const attempted = await attemptPurchase(all[turn++ % all.length] as string, purchase);
      history.push(attempted);
      if (isDefinite(attempted) || isStopped) return;
      await sleep(100);
    }
  }

  const done = Promise.all(Array.from({ length: concurrency }, buyer)).then(() => history);
  return {
    history,
    done,
    stop() {
      isStopped = true;
      return done;
    },
  };
}

function isDefinite({ answer }: Attempt): boolean {
  return answer !== undefined && answer.status !== 503;
}

/** Whether the answer promises that the order is stored (Q6). */
export function isAccepted({ answer }: Attempt): boolean {
  return answer?.status === 201 || answer?.status === 202;
}

/** Counts attempts by answer: `201`, `409 sold_out`, `no answer`. */
export function countAnswers(history: readonly Attempt[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of history) {
    const name = answer === undefined ? 'no answer' : [answer.status, answer.code].filter(Boolean).join(' ');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/**
 * Compares the buyers' answers with the store. Every order in an answer is stored (Q6), confirmed orders are still
 * confirmed, and each key has one order (Q7).
 */
export async function checkHistory(cluster: Cluster, history: readonly Attempt[]): Promise<void> {
  const orderOfKey = new Map<string, string>();
  const told = new Map<string, OrderView>();
  for (const { answer, key, packageId, email } of history) {
    if (answer?.order === undefined) continue;
    const { order } = answer;
    expect([order.packageId, order.email]).toEqual([packageId, email]);
    expect(orderOfKey.get(key) ?? order.id, `the order of key ${key}`).toBe(order.id);
    orderOfKey.set(key, order.id);
    told.set(order.id, order);
  }
  const lost: string[] = [];
  for (const ids of chunks([...told.keys()], 500)) {
    const found = new Map((await cluster.store.orders(ids)).map((order) => [order.id, order]));
    for (const id of ids) {
      const order = found.get(id);
      if (order === undefined) lost.push(id);
      else if (told.get(id)?.status === 'confirmed') expect(order.status, `order ${id}`).toBe('confirmed');
    }
  }
  expect(lost).toEqual([]);
  await checkKeys(cluster, history, orderOfKey);
}

/** Q7: each key has exactly one order in the store, and the answers showed this order. */
async function checkKeys(
  cluster: Cluster,
  history: readonly Attempt[],
  orderOfKey: ReadonlyMap<string, string>,
): Promise<void> {
  const keysOf = Map.groupBy(history, ({ packageId }) => packageId);
  for (const [packageId, attempts] of keysOf) {
    const keys = [...new Set(attempts.map(({ key }) => key))];
    for (const some of chunks(keys, 500)) {
      const orders = await cluster.store.ordersByKey(packageId, some);
      const perKey = Map.groupBy(orders, ({ key }) => key as string);
      for (const [key, found] of perKey) {
        expect(found.map(({ id }) => id)).toEqual([orderOfKey.get(key) ?? found[0]?.id]);
      }
    }
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** Waits until no order is queued, held or being cancelled. */
export async function waitUntilSettled(cluster: Cluster, timeoutMs = 60_000): Promise<void> {
  await waitUntil('everything to settle', timeoutMs, async () =>
    (await allPackages(cluster.store)).every(
      ({ inventory: { held, waiting, cancelling } }) => held + waiting + cancelling === 0,
    ),
  );
}

/** Expects that an audit reads the suppliers' ledger and finds no problem (Q1, Q3, Q5, Q7, Q8). */
export async function expectCleanAudit(cluster: Cluster): Promise<void> {
  const { report } = await cluster.audit();
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ ok: true, suppliersRead: true, inMotion: [] });
}

/** Waits for a condition and returns how long this took, in ms. @throws Error after `timeoutMs`. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  condition: () => Promise<boolean>,
): Promise<number> {
  const startedAt = Date.now();
  while (!(await condition())) {
    if (Date.now() - startedAt > timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(25);
  }
  return Date.now() - startedAt;
}
