import type { HistoryEntry } from '../history.ts';
import { answerOf, type Request } from './answers.ts';
import type { FinalState } from './final-state.ts';
import { type Findings, Notes } from './findings.ts';
import { judgeNumbers } from './numbers.ts';
import { Orders } from './orders.ts';
import { judgeOutcomes } from './outcomes.ts';
import { judgePackages } from './packages.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { judgeTickets } from './tickets.ts';

/**
 * Checks a run against the promises of the domain's SPEC.md. The history is read once and not stored: memory holds the
 * orders with a few times each. Its entries may be in any order.
 */
export async function judge(history: AsyncIterable<HistoryEntry>, state: FinalState): Promise<Findings> {
  const notes = new Notes();
  const orders = new Orders(state.orders, notes);
  const refusals = new Refusals(state, orders, notes);
  const requests = new Requests(state, orders, refusals, notes);
  for await (const entry of history) {
    if (entry.kind === 'fault') {
      refusals.fault(entry);
      notes.count('faults');
      notes.count(`fault ${entry.fault}`);
    } else if (entry.kind !== 'phase') {
      requests.see(entry);
      count(entry, notes);
    }
  }
  requests.finish();
  refusals.finish();
  judgeOutcomes(orders, notes);
  judgePackages(state, orders, notes);
  judgeNumbers(state, orders, notes);
  judgeTickets(state, orders, notes);
  notes.count('packages', state.packages.length);
  for (const { order } of orders.all()) {
    notes.count('orders');
    notes.count(`orders ${order.status}`);
  }
  return notes.findings();
}

const plurals = {
  purchase: 'purchases',
  'look-up': 'look-ups',
  cancel: 'cancels',
  figures: 'figures',
} as const;

function count(request: Request, notes: Notes): void {
  notes.count('requests');
  notes.count(plurals[request.kind]);
  notes.count(`${request.kind} ${answerOf(request) ?? 'no answer'}`);
}
