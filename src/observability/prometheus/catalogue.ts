import type { MetricDefinition } from './instruments.ts';

const prefix = 'ticket_booking_';

function metric(name: string, help: string, ...labels: readonly string[]): MetricDefinition {
  return { name: prefix + name, help, labels };
}

/** Every counter: what only grows. */
export const counters = {
  purchases: metric(
    'purchases_total',
    'Purchases answered, by outcome: confirmed, accepted, or an error code.',
    'outcome',
  ),
  orders: metric(
    'orders_total',
    'Orders that this instance brought to an end, by their last status.',
    'status',
  ),
  requests: metric(
    'http_requests_total',
    'HTTP requests answered; 499 when the caller had hung up.',
    'route',
    'method',
    'status',
  ),
  commitFailures: metric(
    'commit_failures_total',
    'Commits that were not known to be applied, by kind.',
    'kind',
  ),
  fencedWrites: metric(
    'fenced_writes_total',
    'Writes of an owner that had been replaced, by who refused them.',
    'by',
  ),
  staleRefusals: metric(
    'stale_refusals_total',
    'Times an owner that had been replaced said sold out and was not believed.',
  ),
  takeovers: metric(
    'takeovers_total',
    'Packages whose ownership this instance took, each under a new epoch.',
    'unfinished_orders',
  ),
  messages: metric('messages_total', 'Messages sent to other instances, by how they fared.', 'result'),
} as const satisfies Record<string, MetricDefinition>;

/** Every histogram. */
export const histograms = {
  request: metric(
    'http_request_duration_seconds',
    'From the request to the end of its answer.',
    'route',
    'method',
  ),
  batch: metric('batch_size_messages', 'Messages that an actor took in one batch.'),
  commit: metric('commit_duration_seconds', 'Commits that were applied.'),
  saga: metric(
    'saga_duration_seconds',
    'From when a saga is due to its end, by what it came to.',
    'saga',
    'result',
  ),
  settling: metric(
    'order_settling_seconds',
    'From the acceptance of an order to its end, the line included.',
    'status',
  ),
  supplierCall: metric(
    'supplier_call_duration_seconds',
    'Single attempts at a supplier, by what they came to.',
    'supplier',
    'result',
  ),
} as const satisfies Record<string, MetricDefinition>;

/** Every gauge: what is read when somebody looks. */
export const gauges = {
  buildInfo: metric(
    'build_info',
    'Always 1; its labels say what runs.',
    'version',
    'node',
    'engine',
    'store',
  ),
  ready: metric('ready', 'Whether this instance can take orders, as /readyz says.'),
  activeActors: metric('active_actors', 'Packages that this instance owns, or is about to.'),
  mailbox: metric('mailbox_messages', 'Messages in the mailboxes of all active actors.'),
  mailboxMax: metric('mailbox_messages_max', 'Messages in the fullest mailbox.'),
  inbox: metric('inbox_messages', 'Messages from other instances that this one has not taken yet.'),
  sockets: metric('sockets', 'Open WebSockets.'),
  breakerOpen: metric(
    'breaker_open',
    '1 while calls to a supplier wait because it gives no definite answers.',
    'supplier',
  ),
  sagas: metric('sagas_in_progress', 'Sagas that are due and have not ended.', 'saga'),
  oldestSaga: metric(
    'oldest_saga_seconds',
    'For how long the oldest saga has been due in this activation.',
    'saga',
  ),
  waiting: metric('waiting_orders', 'Orders in all lines.'),
  units: metric('units', 'Units of all packages, by state.', 'state'),
  packageWaiting: metric(
    'package_waiting_orders',
    'Orders in the line of a package; the 100 packages with the longest lines.',
    'package',
  ),
  packageUnits: metric(
    'package_units',
    'Units of a package, by state; of the same packages.',
    'package',
    'state',
  ),
} as const satisfies Record<string, MetricDefinition>;

/** Upper bounds of the buckets. */
export const bounds = {
  quick: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  request: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  long: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  size: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
} as const;
