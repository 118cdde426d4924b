import { defineConfig } from 'vitest/config';

const cluster = 'test/cluster/**/*.test.ts';
const patience = { testTimeout: 30_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patience,
          name: 'single',
          include: ['{src,test,tools,bench}/**/*.test.ts'],
          exclude: [cluster, 'bench/peers/*/node_modules/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // A whole cluster takes the whole machine: one after the other, when the others are done.
        test: {
          ...patience,
          name: 'cluster',
          include: [cluster],
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
