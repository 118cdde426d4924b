import { liveBusContract } from '../../test/contract/live-bus.ts';
import { localLiveBus } from './live-bus.ts';

liveBusContract('local', async () => {
  const bus = localLiveBus();
  return { publisher: bus, subscriber: bus };
});
