import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { buy, lookUp } from '../support/api-client.ts';
import { runAudit } from '../support/audit.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';
import { makeDatabase, onSale } from '../support/server.ts';
import { collectGarbage, heapUsed } from './inspector.ts';

/** Tokens that the fuzzers send, to reach the code behind them. */
export const fuzzTokens = {
  SUPPLIERS_TOKEN: 'fuzz-suppliers-token-0123456789',
  ADMIN_TOKEN: 'fuzz-admin-token-0123456789-0123456789',
} as const;

/** Its instance id, which the fuzzers exclude from draining, because draining ends it. */
export const fuzzedInstance = 'the-fuzzed-instance';

/** Memory in bytes. */
export interface MemoryUse {
  /** Resident memory of the process. */
  readonly resident: number;
  /** Size of JavaScript objects. */
  readonly heap: number;
}

/** Limits that are never reached: requests are counted, but none is refused. */
const wideLimits = {
  RATE_LIMIT_PURCHASES: '1000000/10s',
  RATE_LIMIT_EMAIL: '1000000/10s',
  RATE_LIMIT_LOOKUPS: '1000000/10s',
  RATE_LIMIT_SOCKETS: '1000000/10s',
  SOCKETS_PER_CLIENT: '0',
};

/** A server process to attack. Its suppliers do not fail and do not delay. */
export interface FuzzedServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly isRunning: boolean;
  /** Everything that the server has printed. */
  output(): string;
  /** Measures memory after garbage collection; takes some seconds. */
  weigh(): Promise<MemoryUse>;
  /** Puts a package on sale and buys it. @returns what failed, as text; undefined if it succeeded. */
  buyHonestly(): Promise<string | undefined>;
  /**
   * The audit's findings. With the suppliers' token, the fuzzer may have made or cancelled reservations itself, so rule
   * Q8 does not count then.
   */
  auditFindings(given?: { readonly suppliersToken: boolean }): Promise<readonly string[]>;
}

export async function startFuzzedServer(settings: Record<string, string> = {}): Promise<FuzzedServer> {
  const database = await makeDatabase([
    onSale({ id: 1, quota: 1_000_000 }),
    onSale({ id: 2, stay: '2022-08-10', quota: 1_000_000 }),
    onSale({ id: 3, stay: '2022-08-11', quota: 2 }),
  ]);
  const server = await startNodeProcess({
    program: 'src/start.mjs',
    settings: {
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'error',
      DATABASE_URL: database.url,
      FLIGHT_FAILURE_RATE: '0',
      // Each request claims another client address, so that the limit of wrong tokens is not reached.
      TRUST_PROXY: '1',
      INSTANCE_ID: fuzzedInstance,
      ...wideLimits,
      ...fuzzTokens,
      // As in `npm start`, with an inspector to measure memory.
      NODE_OPTIONS: '--max-semi-space-size=32 --inspect=127.0.0.1:0',
      ...settings,
    },
    ready: /listens on (http:\S+)/,
  });
  const origin = server.match[1] as string;
  return {
    origin,
    port: Number(new URL(origin).port),
    get isRunning() {
      return server.isRunning;
    },
    output: server.output,
    weigh: () => weigh(server),
    buyHonestly: () => buyHonestly(origin),
    async auditFindings({ suppliersToken } = { suppliersToken: false }) {
      const { report } = await runAudit({ DATABASE_URL: database.url });
      const counted = report.findings.filter(({ rule }) => !(suppliersToken && rule === 'Q8'));
      return counted.map(({ rule, message }) => `${rule}: ${message}`);
    },
    async [Symbol.asyncDispose]() {
      await server.end('SIGTERM');
      await database.delete();
    },
  };
}

const weighings = 10;

/**
 * The smallest of several measurements a second apart, each after two full collections: the first one runs finalizers,
 * whose objects the second one frees. V8 returns pages to the kernel later.
 */
async function weigh(server: NodeProcess): Promise<MemoryUse> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  if (url === undefined) throw new Error('the server has no inspector');
  let least: MemoryUse = { resident: Number.POSITIVE_INFINITY, heap: Number.POSITIVE_INFINITY };
  for (let count = 0; count < weighings; count++) {
    await sleep(1_000);
    await collectGarbage(url);
    await collectGarbage(url);
    const [resident, heap] = [await residentBytes(server), await heapUsed(url)];
    least = { resident: Math.min(least.resident, resident), heap: Math.min(least.heap, heap) };
  }
  return least;
}

async function residentBytes({ pid }: NodeProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kilobytes) * 1024;
}

async function buyHonestly(origin: string): Promise<string | undefined> {
  const email = 'honest@example.com';
  const created = await fetch(`${origin}/api/admin/packages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${fuzzTokens.ADMIN_TOKEN}` },
    body: JSON.stringify({ flight: 'Honest', stay: '2030-01-01', price: 1, quota: 1 }),
  });
  if (created.status !== 201) return `a new package was answered ${created.status}`;
  const { id } = (await created.json()) as { id: number };
  const { status, order } = await buy(origin, id, { email });
  if (status !== 201 || order === undefined) return `a purchase was answered ${status}`;
  const found = await lookUp(origin, order.id, email);
  return found.order?.status === 'confirmed' ? undefined : `the order is ${found.order?.status}`;
}
