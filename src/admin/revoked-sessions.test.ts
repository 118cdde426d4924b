import { expect, it } from 'vitest';
import { openAdminBench } from '../../test/support/admin-service-fixture.ts';
import type { Operator } from '../storage/operator-log.ts';

const by: Operator = { name: 'admin', via: 'session', session: 's-1', address: '192.0.2.1' };

it('a revoked session is known to every instance, and its start and end are logged', async () => {
  await using bench = await openAdminBench();
  const { service } = bench;
  await service.sessions.started(by);
  expect(await service.sessions.isRevoked('s-1')).toBe(false);
  await service.sessions.revoke(by);
  expect(await service.sessions.isRevoked('s-1')).toBe(true);
  expect(await service.sessions.isRevoked('s-2')).toBe(false);
  // Another instance learns of the revocation from the store.
  expect(await bench.store.settingIfAny('ended-session:s-1')).toMatch(/^\d{13}$/);
  expect(await bench.log()).toMatchObject([
    { action: 'session.end', by, outcome: 'done' },
    { action: 'session.start', by, outcome: 'done' },
  ]);
});
