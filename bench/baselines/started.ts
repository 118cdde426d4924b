import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNodeProcess } from '../../test/support/node-process.ts';
import type { Audit } from './order-route.ts';
import type { Offer } from './program.ts';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A baseline in a process of its own, for its test. */
export interface StartedBaseline extends AsyncDisposable {
  readonly origin: string;
  buy(packageId: number, key?: string, email?: string): Promise<Answer>;
  post(body: string): Promise<Answer>;
  audit(): Promise<Audit>;
  /** Sends SIGTERM and returns the exit code. */
  end(): Promise<number | null>;
}

export async function startBaseline(
  name: 'hello' | 'atomic' | 'lua' | 'floor-sqlite' | 'floor-mongodb',
  offers: readonly Offer[],
  settings: Readonly<Record<string, string>> = {},
): Promise<StartedBaseline> {
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-baseline-'));
  const file = join(folder, 'packages.json');
  await writeFile(file, JSON.stringify({ packages: offers }));
  const child = await startNodeProcess({
    program: `bench/baselines/${name}.ts`,
    parameters: ['--packages', file],
    settings,
    ready: /listens on (?<url>http:\S+)/,
  });
  const origin = child.match.groups?.url as string;
  const send = async (body: string, headers: Readonly<Record<string, string>>): Promise<Answer> => {
    const answer = await fetch(`${origin}/api/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  };
  const end = () => child.end('SIGTERM');
  return {
    origin,
    buy: (packageId, key, email = 'ada@example.com') =>
      send(JSON.stringify({ packageId, email }), key === undefined ? {} : { 'Idempotency-Key': key }),
    post: (body) => send(body, {}),
    audit: async () => (await (await fetch(`${origin}/audit`)).json()) as Audit,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Counts answers by status. */
export function byStatus(answers: readonly Answer[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
