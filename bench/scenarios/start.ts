import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startNodeProcess } from '../../test/support/node-process.ts';
import type { Run } from '../results.ts';
import { commandOf } from '../runner/servers.ts';
import { makeWorkFolder } from '../runner/work-folder.ts';
import type { Scenario, Testbed } from '../testbed.ts';

const roundsMin = { full: 7, quick: 2 };
const idleMs = { full: 5_000, quick: 1_000 };
const readyMsMax = 30_000;

export const scenario: Scenario = {
  name: 'start',
  title: 'Start',
  what:
    'From the start of the process on an empty SQLite database until `/readyz` answers 200, and the resident memory of ' +
    'the server when it has been idle for five seconds.',
  async run(testbed) {
    const pace = testbed.isQuick ? 'quick' : 'full';
    const runs: Run[] = [];
    await using folder = await makeWorkFolder();
    const count = testbed.wants('actor-sqlite') ? Math.max(testbed.rounds, roundsMin[pace]) : 0;
    for (let round = 1; round <= count; round++) {
      testbed.progress(`${round} of ${count}`);
      const idleSeconds = idleMs[pace] / 1000;
      const parameters = testbed.isQuick ? { idleSeconds } : {};
      runs.push({
        ...(await startOnce(testbed, join(folder.path, `${round}.db`), idleMs[pace], round)),
        parameters,
      });
    }
    const contestants = [{ name: 'actor-sqlite', title: 'ticket-booking on SQLite', isOurs: true, runs }];
    const notes = testbed.isQuick ? ['Quick: idle for one second only.'] : [];
    return { contestants, notes };
  },
};

async function startOnce(testbed: Testbed, file: string, idle: number, round: number): Promise<Run> {
  const [program, ...parameters] = (await commandOf('start')) as [string, ...string[]];
  const startedAt = performance.now();
  const server = await startNodeProcess({
    program,
    parameters,
    settings: { DATABASE_URL: `sqlite:${file}`, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' },
    ready: /listens on (http:\S+)/,
  });
  try {
    await ready(server.match[1] as string);
    const readyMs = performance.now() - startedAt;
    await pause(idle);
    const idleRssMB = (await testbed.rss(server.pid)) / 1e6;
    return {
      round,
      parameters: {},
      figures: { readyMs, idleRssMB },
      latencies: {},
      answers: {},
      dropped: 0,
      errors: 0,
      cpu: {},
      audit: { verdict: 'none', detail: 'sells nothing' },
    };
  } finally {
    await server.end('SIGTERM');
  }
}

/** @throws Error when it does not become ready. */
async function ready(origin: string): Promise<void> {
  const until = performance.now() + readyMsMax;
  for (;;) {
    const response = await fetch(`${origin}/readyz`);
    await response.text();
    if (response.status === 200) return;
    if (performance.now() > until) throw new Error(`/readyz still answers ${response.status}`);
    await pause(5);
  }
}
