import { leasesContract } from '../../test/contract/leases.ts';
import { localLeases } from './lease.ts';

leasesContract('local', async () => {
  const leases = localLeases();
  return { one: leases, other: leases, exclusive: false, close: () => leases.close() };
});
