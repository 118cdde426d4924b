import { liveBusContract } from '../../../test/contract/live-bus.ts';
import { localLiveBus } from './local.ts';

liveBusContract('local', async () => {
  const bus = localLiveBus();
  return { publisher: bus, subscriber: bus };
});
