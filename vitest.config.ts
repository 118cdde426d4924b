import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that start servers, browsers or commands, or that run the simulation. */
const system = ['**/*.system.test.ts', 'test/{server,e2e,simulation}/**/*.test.ts'];
/** Tests that take minutes: whole clusters, power cuts, samples of the fuzzers, Docker Compose. */
const long = ['**/*.long.test.ts', 'test/{cluster,fuzz}/**/*.test.ts'];
const all = '{src,test,tools,bench,clients}/**/*.test.ts';
const peers = 'bench/peers/*/node_modules/**';

const cores = availableParallelism();
const timeouts = { testTimeout: 30_000, hookTimeout: 120_000 };
/** A test waits for a condition, also on a busy machine. The limits only end waits whose condition never comes. */
const waits = { setupFiles: ['test/support/wait-limits.ts'], expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        // All other files. A worker runs many of them with the modules that it has loaded once.
        test: {
          ...timeouts,
          ...waits,
          name: 'unit',
          include: [all],
          exclude: [...system, ...long, peers],
          isolate: false,
          restoreMocks: true,
          unstubEnvs: true,
          maxWorkers: 2 * cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // They wait more than they compute. The servers that they start have deadlines of their own, and miss them when
        // too many start at once.
        test: {
          ...timeouts,
          ...waits,
          testTimeout: 60_000,
          name: 'system',
          include: system,
          exclude: [...long, peers],
          maxWorkers: cores + 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // A whole cluster takes the whole machine: one after the other.
        test: {
          ...timeouts,
          ...waits,
          name: 'long',
          include: long,
          exclude: [peers],
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
