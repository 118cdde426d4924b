import { afterAll, expect, it } from 'vitest';
import {
  type AdminOverrides,
  fakeAdmin,
  fakeInstance,
  fakeLost,
  fakeOperator,
  fakeStatus,
} from '../../test/support/fake-admin.ts';
import { adminToken, fakeApp } from '../../test/support/fake-app.ts';
import { fakeNow, fakeOrder } from '../../test/support/fake-engine.ts';
import { expectMatchesOpenApi, operationAt } from '../../test/support/openapi-conformance.ts';
import type { AdminOrder } from '../admin/order-service.ts';
import type { AuditReport } from '../audit/audit-report.ts';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import type { Result } from '../engine/operated-engine.ts';
import type { OperatorEvent } from '../storage/operator-log.ts';
import type { DeadLetter } from '../storage/outbox.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { allOperations } from './routes.ts';

/* Every answer to an operator matches the API's description, member by member. */

interface Question {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The service's method that handles the request, for example `packages.list`. */
  readonly inside: string;
  readonly body?: object;
}

const stuck: AdminOrder = { order: fakeOrder({ status: 'held' }), since: fakeNow, health: 'stuck' };
const order = `/api/admin/orders/${stuck.order.id}`;
const report: AuditReport = {
  ...{ ok: false, packages: 1, orders: 2, reservations: 2, publicReservations: 0, suppliersRead: true },
  ...{ inMotion: [3], findings: [{ rule: 'Q1', packageId: 1, message: 'one unit too many' }] },
};
const change: OperatorEvent = {
  ...{ id: '1', at: fakeNow, by: fakeOperator, instance: 'one', action: 'package.amend' },
  ...{ target: { packageId: 1 }, wish: { quota: 2 }, before: { quota: 1 }, after: null },
  ...{ outcome: 'refused', code: 'quota_too_low', endedAt: fakeNow },
};

const letter: DeadLetter = {
  ...{ orderId: stuck.order.id, event: 'confirmed', channel: 'mail', packageId: 1 },
  ...{ at: fakeNow, attempts: 20, reason: 'SMTP 451' },
};

const good: AdminOverrides = {
  packages: {
    list: async () => ({
      items: [fakeStatus(), fakeStatus({ id: 2, paused: true }, {}, { obstacle: 'paused' })],
      ...{ index: 0, total: 9, next: 2 },
    }),
    archive: async () => ({ kind: 'done', value: fakeStatus({ listed: false, archived: true }).package }),
  },
  instances: {
    list: async () => [fakeInstance('instance-1'), fakeLost('instance-9')],
    dismiss: async () => ({ kind: 'done', value: { instance: 'instance-9' } }),
  },
  orders: {
    list: async () => ({ items: [stuck], next: '1-5' }),
    listByEmail: async () => ({ items: [stuck], next: '1-5' }),
    get: async () => stuck,
    cancel: fakeAdmin({ orders: [{ ...stuck, order: fakeOrder() }] }).orders.cancel,
  },
  audits: { run: async () => ({ kind: 'done', value: report }) },
  deadLetters: { list: async () => ({ items: [letter], next: '1-a' }) },
  changes: { list: async () => ({ items: [change], next: '1-a' }) },
};

/** A service that works except for one method, for example `packages.list`. */
function goodBut(inside: string, method: () => unknown): AdminOverrides {
  const [subject = '', name = ''] = inside.split('.');
  return { ...good, [subject]: { ...good[subject as keyof AdminOverrides], [name]: method } };
}

/** A method that fails with the error. One that reads page by page fails with the first page. */
function failing(inside: string, error: Error): () => unknown {
  if (inside !== 'orders.exportPages') return () => Promise.reject(error);
  return async function* () {
    yield await Promise.reject(error);
  };
}

const newPackage = { flight: 'F', stay: '2030-01-01', price: 1, quota: 1, opensAt: '2029-01-01T00:00:00Z' };
const questions: readonly Question[] = [
  { method: 'GET', path: '/api/admin/packages', status: 200, inside: 'packages.list' },
  { method: 'POST', path: '/api/admin/packages', status: 201, inside: 'packages.create', body: newPackage },
  { method: 'GET', path: '/api/admin/packages/1', status: 200, inside: 'packages.get' },
  {
    ...{ method: 'PATCH', path: '/api/admin/packages/1', status: 200, inside: 'packages.update' },
    body: { version: 1, quota: 60, closesAt: null },
  },
  { method: 'POST', path: '/api/admin/packages/1/pause', status: 200, inside: 'packages.setPaused' },
  { method: 'POST', path: '/api/admin/packages/1/resume', status: 200, inside: 'packages.setPaused' },
  { method: 'POST', path: '/api/admin/packages/2/archive', status: 200, inside: 'packages.archive' },
  { method: 'DELETE', path: '/api/admin/packages/1', status: 204, inside: 'packages.delete' },
  { method: 'GET', path: '/api/admin/instances', status: 200, inside: 'instances.list' },
  { method: 'POST', path: '/api/admin/instances/instance-2/drain', status: 202, inside: 'instances.drain' },
  {
    method: 'POST',
    path: '/api/admin/instances/instance-9/dismiss',
    status: 200,
    inside: 'instances.dismiss',
  },
  { method: 'GET', path: '/api/admin/orders?stuck=true&limit=5', status: 200, inside: 'orders.list' },
  {
    ...{ method: 'POST', path: '/api/admin/orders/search', status: 200, inside: 'orders.listByEmail' },
    body: { email: 'ana@example.com', limit: 5, cursor: '1-5' },
  },
  { method: 'GET', path: order, status: 200, inside: 'orders.get' },
  { method: 'POST', path: `${order}/retry`, status: 200, inside: 'orders.retry' },
  { method: 'POST', path: `${order}/cancel`, status: 200, inside: 'orders.cancel' },
  {
    ...{ method: 'POST', path: '/api/admin/erase', status: 200, inside: 'eraser.erase' },
    body: { email: 'ana@example.com' },
  },
  { method: 'GET', path: '/api/admin/dead-letters?limit=5', status: 200, inside: 'deadLetters.list' },
  {
    ...{ method: 'POST', path: '/api/admin/dead-letters/retry', status: 200, inside: 'deadLetters.retry' },
    body: { ids: [`${stuck.order.id}.confirmed.mail`] },
  },
  {
    ...{
      method: 'POST',
      path: '/api/admin/dead-letters/discard',
      status: 200,
      inside: 'deadLetters.discard',
    },
    body: { channel: 'mail' },
  },
  { method: 'GET', path: '/api/admin/audit?clockSkewMs=5', status: 200, inside: 'audits.run' },
  { method: 'GET', path: '/api/admin/changes', status: 200, inside: 'changes.list' },
  { method: 'GET', path: '/api/admin/orders.csv?status=held', status: 200, inside: 'orders.exportPages' },
  { method: 'GET', path: '/api/admin/reconciliation.csv', status: 200, inside: 'audits.reconcile' },
];

const asked = new Set<string>();
afterAll(() => {
  const all = allOperations.filter(({ tag }) => tag === 'Admin').map(({ operationId }) => operationId);
  expect([...asked].toSorted()).toEqual(all.toSorted());
});

interface Asking {
  readonly service?: AdminOverrides;
  readonly body?: object;
  readonly token?: string;
}

async function ask({ method, path, body: usual }: Question, asking: Asking): Promise<number> {
  const { service = good, body = usual, token = adminToken } = asking;
  const answer = await fakeApp({ service }).request(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const operation = operationAt(method, path);
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  asked.add(operation.operationId);
  await expectMatchesOpenApi(operation, answer);
  return answer.status;
}

it.each(questions)(
  '$method $path gives the described answer, 401 to another token, and 422 to a wrong body',
  async (question) => {
    expect(await ask(question, {})).toBe(question.status);
    expect(await ask(question, { token: 'another' })).toBe(401);
    if (question.body !== undefined) expect(await ask(question, { body: { owner: 'me' } })).toBe(422);
  },
);

it.each(questions)(
  '$method $path gives the described error when the store is unavailable or the code fails',
  async (question) => {
    const broken = (error: Error) => goodBut(question.inside, failing(question.inside, error));
    expect(await ask(question, { service: broken(new StoreUnavailableError('away')) })).toBe(503);
    expect(await ask(question, { service: broken(new Error('a bug')) })).toBe(500);
  },
);

const changing = questions.filter(({ inside }) => !/\.(list|listByEmail|get|exportPages)$/.test(inside));

it.each(changing)('$method $path gives the described answer to each described refusal', async (question) => {
  const codes = operationAt(question.method, question.path)?.problems ?? [];
  // `unauthorized` is left out, because callers without a token are refused before the service is called.
  for (const code of codes.filter((each) => each !== 'unauthorized')) {
    const refused = async (): Promise<Result<never>> => ({ kind: 'refused', code, order: fakeOrder() });
    expect(await ask(question, { service: goodBut(question.inside, refused) })).toBe(statusOf(code));
  }
});

function statusOf(code: ErrorCode): number {
  return errorKind(code).status;
}
