import { expect, it } from 'vitest';
import { allOperations as operations } from '../../src/openapi/routes.ts';
import { startFuzzedServer } from './fuzzed-server.ts';
import { fuzzApi } from './schemathesis.ts';

/* A sample with a fixed seed; `npm run fuzz` sends more. */

it('the API answers valid and invalid requests as its description says', {
  timeout: 300_000,
}, async () => {
  await using server = await startFuzzedServer();
  const report = await fuzzApi({ origin: server.origin, seed: 8, examples: 25 });
  expect(report.failures.join('\n')).toBe('');
  // All operations except the description itself and the one of payments, which are off.
  expect(report.operations).toMatchObject({ selected: operations.length - 2, tested: operations.length - 2 });
  expect(report.cases).toBeGreaterThan(300);
  expect(await server.buyHonestly()).toBeUndefined();
  expect(await server.auditFindings({ suppliersToken: true })).toEqual([]);
  expect(server.isRunning).toBe(true);
});
