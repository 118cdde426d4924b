import type { FinalState, StoredPackage } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { nameOf, type Orders, type OrderTrace } from './orders.ts';

/** Rules Q1, Q3 and Q4 in the final state. Compares each package's inventory with its orders. */
export function checkPackages({ packages }: FinalState, orders: Orders, collector: FindingsCollector): void {
  const known = new Set(packages.map(({ id }) => id));
  for (const id of orders.packageIds()) {
    if (!known.has(id)) collector.violation('Q1', `there are orders of package ${id}, which is not stored`);
  }
  for (const onSale of packages) {
    const traces = orders.of(onSale.id);
    checkInventory(onSale, traces, collector);
    checkDrain(onSale, traces, collector);
    collector.count('units', onSale.quota);
    collector.count('units sold', onSale.confirmed);
  }
}

function checkInventory(
  onSale: StoredPackage,
  traces: readonly OrderTrace[],
  collector: FindingsCollector,
): void {
  const { id, quota, remaining, held, confirmed, cancelling, waiting } = onSale;
  const name = `package ${id} (quota ${quota}, remaining ${remaining}, held ${held}, confirmed ${confirmed})`;
  if (quota !== remaining + held + confirmed) collector.violation('Q1', `${name} does not add up`);
  if (Math.min(quota, remaining, held, cancelling, confirmed - cancelling, waiting) < 0)
    collector.violation('Q1', `${name} has less than nothing: cancelling ${cancelling}, waiting ${waiting}`);
  const count = (...statuses: string[]) =>
    traces.filter(({ order }) => statuses.includes(order.status)).length;
  const counted = {
    held: count('held', 'payable', 'compensating'),
    confirmed: count('confirmed', 'cancelling'),
    cancelling: count('cancelling'),
    waiting: count('queued'),
  };
  for (const [figure, byOrders] of Object.entries(counted)) {
    const stored = onSale[figure as keyof typeof counted];
    if (stored !== byOrders)
      collector.violation('Q1', `package ${id} says ${figure} ${stored}, its orders say ${byOrders}`);
  }
  const sold = Math.max(confirmed, counted.confirmed);
  if (sold > quota) collector.violation('Q3', `package ${id} has sold ${sold} units of ${quota}`);
}

/** Checks that after the drain no order is in progress or waiting. Only a paused sale may keep its queue. */
function checkDrain(
  onSale: StoredPackage,
  traces: readonly OrderTrace[],
  collector: FindingsCollector,
): void {
  for (const { order } of traces) {
    if (['held', 'payable', 'compensating', 'cancelling'].includes(order.status))
      collector.violation('Q4', `${nameOf(order)} is still ${order.status}`);
    if (order.status === 'queued' && !onSale.isPaused)
      collector.violation('Q4', `${nameOf(order)} still waits, while ${onSale.remaining} units are free`);
  }
}
