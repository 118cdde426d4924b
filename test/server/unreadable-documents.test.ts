import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TicketClient } from '../../clients/typescript/src/index.ts';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { sampleChange, sampleInventory, sampleOrder } from '../contract/samples.ts';
import { buy, logInAsOperator, lookUp } from '../support/api-client.ts';
import { auditHere } from '../support/audit.ts';
import { recordingLog } from '../support/recording-log.ts';
import { makeDatabase, onSale, startServer, type TestDatabase, type TestServer } from '../support/server.ts';

const token = 'a-token-for-operators-only';
const orderId = '0000-0000-0000-0001';
let database: TestDatabase;
let server: TestServer | undefined;
/** The document of the waiting order of package 3, before the damage. */
let waiting: string;

/** Package 1 is damaged, package 2 is of a newer release, and package 3 has a waiting order that is damaged. */
beforeEach(async () => {
  database = await makeDatabase([1, 2, 3, 4].map((id) => onSale({ id, flight: `Flight-${id}`, quota: 5 })));
  const file = database.url.slice('sqlite:'.length);
  const store = openSqliteStore({ file });
  const { fence } = (await store.versionedPackage(3))!;
  const inventory = sampleInventory({ waiting: 1, nextNumber: 2 });
  const inserted = [sampleOrder(1, { id: orderId, packageId: 3 })];
  await store.commit(3, fence, sampleChange({ inventory, inserted }));
  await store.close();
  waiting = change(
    'SELECT document FROM orders WHERE package_id = 3',
    "UPDATE packages SET document = '{}' WHERE id = 1",
    'UPDATE packages SET document_version = 2 WHERE id = 2',
    "UPDATE orders SET document = '{' WHERE package_id = 3",
  );
});

/** Changes the database beside the server. Returns the document that `select` reads before. */
function change(select: string, ...updates: readonly string[]): string {
  const db = new DatabaseSync(database.url.slice('sqlite:'.length), { timeout: 10_000 });
  const before = db.prepare(select).get()?.document;
  for (const update of updates) db.exec(update);
  db.close();
  return String(before);
}

afterEach(async () => {
  await server?.stop();
  await database.delete();
});

test('Q12 a server with unreadable documents starts, sells everything else, and names them', async () => {
  const log = recordingLog();
  const settings = { DATABASE_URL: database.url, ADMIN_TOKEN: token, FLIGHT_FAILURE_RATE: '0' };
  server = await startServer({ settings, log });
  const { origin } = server;
  const get = (path: string) => fetch(origin + path, { headers: { authorization: `Bearer ${token}` } });

  expect((await get('/readyz')).status).toBe(200);
  const page = await (await get('/order')).text();
  expect([1, 2, 3, 4].filter((id) => page.includes(`Flight-${id}`))).toEqual([3, 4]);
  const { packages } = (await (await get('/api/packages')).json()) as { packages: { id: number }[] };
  expect(packages.map(({ id }) => id)).toEqual([3, 4]);

  expect((await buy(origin, 4)).status).toBe(201);
  for (const id of [1, 2])
    expect(await buy(origin, id)).toMatchObject({ status: 503, code: 'store_unavailable' });
  // Nobody can finish its waiting order.
  expect(await buy(origin, 3)).toMatchObject({ status: 503, code: 'no_owner' });
  expect(await buy(origin, 5)).toMatchObject({ status: 404, code: 'unknown_package' });
  expect(await lookUp(origin, orderId, 'buyer1@example.com')).toMatchObject({ code: 'store_unavailable' });
  expect(await (await get('/api/packages/2')).json()).toMatchObject({
    detail: 'Package 2 cannot be read by this instance.',
  });

  const cookie = await logInAsOperator(origin, token);
  const admin = async (path: string) => (await fetch(origin + path, { headers: { cookie } })).text();
  const overview = await admin('/admin');
  expect(overview).toContain('2 packages cannot be read');
  expect(overview).toContain(`Order ${orderId} cannot be read`);
  expect(await admin('/admin/packages/2')).toContain('Package 2 cannot be read by this instance.');

  // Each is logged once.
  expect(log.lines.filter((line) => line.includes('cannot be read')).sort()).toEqual([
    `order ${orderId} of package 3 cannot be read: it is damaged`,
    'package 1 cannot be read: it is damaged',
    'package 2 cannot be read: it was written by a newer release (document version 2): run that release',
  ]);
  const report = await auditHere({ DATABASE_URL: database.url });
  expect(report.findings.map(({ rule, packageId }) => `${rule} ${packageId}`)).toEqual([
    'Q6 1',
    'Q6 2',
    'Q6 3',
  ]);
});

test('Q12 documents that were removed by hand are no longer named', async () => {
  const settings = { DATABASE_URL: database.url, ADMIN_TOKEN: token, FLIGHT_FAILURE_RATE: '0' };
  server = await startServer({ settings });
  const { origin } = server;
  expect(await lookUp(origin, orderId, 'buyer1@example.com')).toMatchObject({ code: 'store_unavailable' });
  const headers = { cookie: await logInAsOperator(origin, token) };
  const overview = async () => (await fetch(`${origin}/admin`, { headers })).text();
  expect(await overview()).toContain(`Order ${orderId} cannot be read`);
  change('SELECT document FROM packages', 'DELETE FROM packages WHERE id < 3', 'DELETE FROM orders');
  await vi.waitFor(async () => expect(await overview()).not.toContain('cannot be read'), 5_000);
});

test('Q6 Q12 a package whose document is repaired has an owner within 5 s, without a request', async () => {
  const settings = { DATABASE_URL: database.url, FLIGHT_FAILURE_RATE: '0' };
  server = await startServer({ settings });
  const { origin } = server;
  expect(await buy(origin, 3)).toMatchObject({ status: 503, code: 'no_owner' });
  change('SELECT document FROM orders', `UPDATE orders SET document = '${waiting}' WHERE package_id = 3`);
  const order = { id: orderId, email: 'buyer1@example.com' };
  const { status } = await new TicketClient(origin).waitForOutcome(order, { timeoutMs: 5_000 });
  expect(status).toBe('confirmed');
});
