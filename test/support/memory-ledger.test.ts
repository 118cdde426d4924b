import { ledgerContract } from '../contract/ledger.ts';
import { memoryLedger } from './memory-ledger.ts';

ledgerContract('in memory', async () => ({ ledger: memoryLedger(), close: async () => {} }));
