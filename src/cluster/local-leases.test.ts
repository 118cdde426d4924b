import { leasesContract } from '../../test/contract/leases.ts';
import { localLeases } from './local-leases.ts';

leasesContract('local', async () => {
  const leases = localLeases();
  return { one: leases, other: leases, exclusive: false, close: () => leases.close() };
});
