import type { HistoryEntry } from '../history.ts';
import { answerOf, type Request } from './answers.ts';
import { FaultTimes } from './fault-times.ts';
import type { FinalState } from './final-state.ts';
import { type Findings, FindingsCollector } from './findings.ts';
import { Isolation } from './isolation.ts';
import { checkNumbers } from './numbers.ts';
import { Orders } from './orders.ts';
import { checkOutcomes } from './outcomes.ts';
import { checkPackages } from './packages.ts';
import { Payments } from './payments.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import { checkTickets } from './tickets.ts';
import { Updates } from './updates.ts';

/**
 * Checks a run against the promises of the domain's SPEC.md. The history is read once and not stored: memory contains
 * only the orders, with a few times each. The entries of the history may come in any order.
 */
export async function checkHistory(
  history: AsyncIterable<HistoryEntry>,
  state: FinalState,
  notPromised: readonly string[] = [],
): Promise<Findings> {
  const collector = new FindingsCollector(notPromised);
  const orders = new Orders(state.orders, collector);
  const faults = new FaultTimes();
  const refusals = new Refusals(state, orders, faults, collector);
  const requests = new Requests(state, orders, refusals, collector);
  const isolation = new Isolation(orders, collector);
  const updates = new Updates(state, orders, faults, collector);
  const payments = new Payments(state, orders, collector);
  for await (const entry of history) {
    if (entry.kind === 'fault') {
      faults.add(entry);
      isolation.see(entry);
      collector.count('faults');
      collector.count(`fault ${entry.fault}`);
    } else if (entry.kind !== 'phase') {
      requests.see(entry);
      if (entry.kind === 'update' || entry.kind === 'pause' || entry.kind === 'resume') updates.see(entry);
      if (entry.kind === 'pay' || entry.kind === 'decline' || entry.kind === 'event') payments.see(entry);
      if (entry.kind === 'figures') updates.figures(entry);
      count(entry, collector);
    }
  }
  const unchanged = state.packages.filter(({ version }) => version === 1);
  requests.finish();
  refusals.finish();
  updates.finish();
  isolation.finish(new Map(unchanged.map(({ id, quota }) => [id, quota])));
  checkOutcomes(orders, collector);
  checkPackages(state, orders, collector);
  checkNumbers(state, orders, collector);
  checkTickets(state, orders, collector);
  payments.finish();
  collector.count('packages', state.packages.length);
  for (const { order } of orders.all()) {
    collector.count('orders');
    collector.count(`orders ${order.status}`);
  }
  return collector.findings();
}

const plurals = {
  purchase: 'purchases',
  'look-up': 'look-ups',
  cancel: 'cancels',
  figures: 'figures',
  update: 'quota changes',
  pause: 'pauses',
  resume: 'resumes',
  retry: 'retries',
  erase: 'erasures',
  pay: 'requests to pay',
  decline: 'requests to decline',
  event: 'events',
} as const;

function count(request: Request, collector: FindingsCollector): void {
  collector.count('requests');
  collector.count(plurals[request.kind]);
  collector.count(`${request.kind} ${answerOf(request) ?? 'no answer'}`);
}
