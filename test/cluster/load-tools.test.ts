import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectCleanAudit, waitUntilSettled } from '../support/buyers.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';
import { onPath } from '../support/servers/find.ts';

vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Fewer than the purchases that get a flight, so each package sells out. */
const quota = 150;
const [byAutocannon, byK6] = [1, 2];
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    instances: 3,
    packages: [onSale({ id: byAutocannon, quota }), onSale({ id: byK6, quota })],
    // Nothing fails here, so an owner stays the owner on a slow machine too.
    settings: {
      LEASE_TTL_MS: '60000',
      RATE_LIMIT: 'off',
      FLIGHT_FAILURE_RATE: '0.3',
      SUPPLIER_LATENCY_MS: '5',
    },
  });
});
afterAll(() => cluster?.end());

function run(program: string, parameters: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, [...parameters], { cwd: root, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

function autocannon(...parameters: string[]) {
  const targets = ['--targets', cluster.origins.join()];
  return run(process.execPath, ['bench/autocannon/command.ts', ...targets, ...parameters]);
}

/** Expects that the package is sold out, each order has a key of its own, and the audit is clean. */
async function expectSold(packageId: number): Promise<void> {
  await waitUntilSettled(cluster);
  const { inventory } = (await cluster.store.package(packageId)) ?? {};
  expect(inventory).toMatchObject({ confirmed: quota, held: 0, waiting: 0 });
  const { items } = await cluster.store.ordersPage(packageId, undefined, 10_000);
  expect(items.length).toBeGreaterThanOrEqual(quota);
  expect(items.filter(({ key }) => key === undefined)).toEqual([]);
  expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
  await expectCleanAudit(cluster);
}

describe('autocannon against three instances', () => {
  it('Q3 Q4 Q7 Q8 buys with keys, and sees the outcome of each order', async () => {
    const purchases = 480;
    const { code, output } = await autocannon(
      ...['--package', String(byAutocannon), '--purchases', String(purchases)],
      ...['--connections', '12', '--p99', '30000'],
    );
    expect(output).not.toContain('FAILED');
    expect(code).toBe(0);
    const [answers = '', orders = '', , sockets = ''] = output.split('\n');
    expect(countsIn(answers).reduce((sum, count) => sum + count, 0)).toBe(purchases);
    expect(orders).toContain(`${quota} × confirmed`);
    expect(Number(/with (\d+) messages/.exec(sockets)?.[1])).toBeGreaterThan(30);
    await expectSold(byAutocannon);
  });

  it.each([
    ['an error', ['--package', '999999'], /FAILED: \d+ errors, above 0\./],
    [
      'a slow answer',
      ['--package', String(byAutocannon), '--p99', '0.001'],
      /FAILED: p99 is .* above 0\.001 ms\./,
    ],
  ])('exits 1 after %s', async (_what, parameters, words) => {
    const { code, output } = await autocannon(...parameters, '--purchases', '30', '--connections', '3');
    expect(output).toMatch(words);
    expect(code).toBe(1);
  });

  it.each([
    ['without a package', []],
    ['with fewer connections than instances', ['--package', '1', '--connections', '2']],
  ])('exits 2 %s', async (_what, parameters) => {
    const { code, output } = await autocannon(...parameters);
    expect(output).toContain('See npm run bench:autocannon -- --help');
    expect(code).toBe(2);
  });
});

describe('k6 against three instances', () => {
  it('Q3 Q4 Q7 Q8 buys with keys, and watches each order until its outcome', async (context) => {
    const k6 = process.env.K6 ?? (await onPath('k6'));
    if (k6 === undefined) {
      const reason = 'LEFT OUT: bench/k6/script.js: there is no k6 on the PATH, and K6 names none';
      console.log(reason);
      return context.skip(reason);
    }
    const variables = { TARGETS: cluster.origins.join(), PACKAGE: byK6, RATE: 40, SECONDS: 10, VIEWERS: 30 };
    const { code, output } = await run(k6, [
      'run',
      ...Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      'bench/k6/script.js',
    ]);
    expect(code, output).toBe(0);
    await expectSold(byK6);
  });
});

/** The numbers in a line such as `Answers to purchases: 480 × 202, 20 × 409 sold_out.` */
function countsIn(line: string): number[] {
  return [...line.matchAll(/(\d+) × /g)].map(([, count]) => Number(count));
}
