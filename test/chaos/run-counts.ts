import type { OrderAccess } from './client.ts';
import type { HistoryEntry } from './history.ts';

/** Counts of a run while it goes on. */
export class RunCounts {
  /** Answers to purchases: `201 confirmed`, `409 sold_out`, `no answer ECONNRESET`. */
  readonly answers = new Map<string, number>();
  readonly faults = new Map<string, number>();
  requests = 0;
  readonly #orders = new Set<string>();
  readonly #confirmed = new Set<string>();
  readonly #sample: OrderAccess[] = [];

  /** Orders that clients have seen. */
  get orders(): number {
    return this.#orders.size;
  }

  /** Orders that clients have seen as confirmed, including orders that were cancelled later. */
  get confirmed(): number {
    return this.#confirmed.size;
  }

  /** A sample: every 200th order of the whole run. */
  get sample(): readonly OrderAccess[] {
    return this.#sample;
  }

  record(entry: HistoryEntry): void {
    if (entry.kind === 'phase' || entry.kind === 'event') return;
    if (entry.kind === 'fault') return add(this.faults, faultName(entry.fault, entry.target));
    this.requests += 1;
    if (entry.kind === 'purchase') {
      const { status, code, error, order } = entry;
      const words = status === undefined ? ['no answer', error] : [status, code ?? order?.status];
      add(this.answers, words.filter(Boolean).join(' '));
    }
    if (!('order' in entry) || entry.order === undefined) return;
    const { id, email, status } = entry.order;
    if (!this.#orders.has(id) && this.#orders.size % 200 === 0) this.#sample.push({ orderId: id, email });
    this.#orders.add(id);
    if (status === 'confirmed') this.#confirmed.add(id);
  }
}

/** Faults of links are named by the link's end: `cut redis`, `delay clients`. */
export function faultName(fault: string, target: string): string {
  if (!/^(delay|cut|blackhole)$/.test(fault)) return fault;
  if (target.startsWith('clients')) return `${fault} clients`;
  if (target.startsWith('mongod')) return `${fault} mongodb`;
  return `${fault} ${target.split(' ').at(-1)}`;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
