import { workQueueContract } from '../contract/work-queue.ts';
import { memoryQueue } from './memory-queue.ts';

workQueueContract('in memory', async () => ({ queue: memoryQueue(), close: async () => {} }));
