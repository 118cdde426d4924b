import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runAudit } from '../support/audit.ts';
import { buy, lookUp } from '../support/buyers.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';
import { makeDatabase, onSale } from '../support/server.ts';
import { collectGarbage, heapUsed } from './inspector.ts';

/** What the fuzzers know of it, to get further in. */
export const fuzzTokens = {
  SUPPLIERS_TOKEN: 'fuzz-suppliers-token-0123456789',
  ADMIN_TOKEN: 'fuzz-admin-token-0123456789-0123456789',
} as const;

/** Its name: who drains it ends it. */
export const fuzzedInstance = 'the-fuzzed-instance';

/** In bytes. */
export interface Weight {
  /** Memory that it takes, as the kernel counts it. */
  readonly resident: number;
  /** JavaScript objects that it holds. */
  readonly heap: number;
}

/** Rates that nobody reaches: what is left is counted and told, and nobody is turned away. */
const wideLimits = {
  RATE_LIMIT_PURCHASES: '1000000/10s',
  RATE_LIMIT_EMAIL: '1000000/10s',
  RATE_LIMIT_LOOKUPS: '1000000/10s',
  RATE_LIMIT_SOCKETS: '1000000/10s',
  SOCKETS_PER_CLIENT: '0',
};

/** A server in a process of its own, set up to be attacked: suppliers do not fail, and nobody is slowed down. */
export interface FuzzedServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly isRunning: boolean;
  /** What it has printed. */
  output(): string;
  /** Weighs it at rest, after its garbage is collected: takes some seconds. */
  weigh(): Promise<Weight>;
  /** Puts a package on sale and buys it. @returns what went wrong, if anything. */
  buyHonestly(): Promise<string | undefined>;
  /**
   * What the audit finds beside the running server. Whoever was given the token of the suppliers may have reserved and
   * cancelled there what no order knows of: then nothing of rule Q8 counts.
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
      // Each request says that it is somebody else's, so that nobody has guessed too many tokens.
      TRUST_PROXY: '1',
      INSTANCE_ID: fuzzedInstance,
      ...wideLimits,
      ...fuzzTokens,
      // As `npm start` has it. The inspector listens to who wants to weigh it, and does nothing by itself.
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
 * The least of some weighings a second apart, each after two full collections: the first lets go of what the second
 * can collect, and V8 hands pages back to the kernel in its own time.
 */
async function weigh(server: NodeProcess): Promise<Weight> {
  const url = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
  if (url === undefined) throw new Error('the server has no inspector');
  let least: Weight = { resident: Number.POSITIVE_INFINITY, heap: Number.POSITIVE_INFINITY };
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
