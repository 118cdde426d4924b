import { paymentLedgerContract } from '../contract/payment-ledger.ts';
import { memoryPayments } from './memory-payments.ts';

paymentLedgerContract('in memory', async () => ({ ledger: memoryPayments(), close: async () => {} }));
