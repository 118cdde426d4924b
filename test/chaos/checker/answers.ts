import type { HistoryEntry } from '../history.ts';

/** A history entry that records a request. */
export type Request = Exclude<HistoryEntry, { kind: 'fault' | 'phase' }>;

const everywhere = [
  '408 request_timeout',
  '429 rate_limited',
  '503 overloaded',
  '503 no_owner',
  '503 store_unavailable',
  '503 not_ready',
];
const bodies = ['413 body_too_large', '415 unsupported_media_type', '422 invalid'];

/** The answers that docs/api.md documents for each request. */
const documented: Readonly<Record<Request['kind'], ReadonlySet<string>>> = {
  purchase: new Set([
    ...everywhere,
    ...bodies,
    ...['200', '201', '202', '404 unknown_package', '422 key_reused', '502 supplier_failed', '503 paused'],
    ...['402 payment_declined', '402 payment_expired'],
    ...['sold_out', 'queue_full', 'not_open', 'sale_closed', 'order_limit', 'in_progress'].map(
      (code) => `409 ${code}`,
    ),
  ]),
  'look-up': new Set([...everywhere, '200', '404 unknown_order', '422 invalid']),
  cancel: new Set([
    ...everywhere,
    ...bodies,
    ...['200', '202', '404 unknown_order', '409 in_progress', '409 not_cancellable', '503 paused'],
  ]),
  figures: new Set([...everywhere, '200', '404 unknown_package']),
  update: new Set([
    ...everywhere,
    ...bodies,
    ...['200', '404 unknown_package', '409 version_conflict', '422 quota_too_low'],
  ]),
  pause: new Set([...everywhere, '200', '404 unknown_package', '409 version_conflict', '409 sale_closed']),
  resume: new Set([...everywhere, '200', '404 unknown_package', '409 version_conflict', '409 sale_closed']),
  retry: new Set([...everywhere, '200', '404 unknown_order', '409 not_retryable']),
  erase: new Set([...everywhere, ...bodies, '200']),
  // The page of the payment provider leads back to the shop.
  pay: new Set(['303']),
  decline: new Set(['303']),
  event: new Set([...everywhere, ...bodies, '204', '403 invalid_signature', '404 unknown_order']),
};

/** Status and code of an answer, such as `201` or `409 sold_out`; undefined without an answer. */
export function answerOf({ status, code }: Request): string | undefined {
  if (status === undefined) return undefined;
  return code === undefined ? String(status) : `${status} ${code}`;
}

export function isDocumented(request: Request): boolean {
  const answer = answerOf(request);
  return answer === undefined || documented[request.kind].has(answer);
}

/**
 * The statuses that an order in an answer may have, by request and answer. Orders whose buyer has cancelled them instead of
 * paying are `abandoned` too.
 */
const shown: Readonly<Record<string, readonly string[]>> = {
  'purchase 200': ['cancelled', 'withdrawn', 'abandoned failed'],
  'purchase 201': ['confirmed'],
  'purchase 202': ['queued', 'held', 'payable', 'cancelling', 'abandoned compensating'],
  'purchase 402 payment_declined': ['failed', 'compensating'],
  'purchase 402 payment_expired': ['failed', 'compensating'],
  'purchase 409 sold_out': ['rejected'],
  'purchase 502 supplier_failed': ['failed', 'compensating'],
  'cancel 200': ['cancelled', 'withdrawn', 'abandoned failed'],
  'cancel 202': ['cancelling', 'abandoned compensating'],
  'cancel 409 not_cancellable': ['failed', 'rejected'],
  // An accepted retry may show that the order has ended in the same commit.
  'retry 409 not_retryable': [
    ...['confirmed', 'failed', 'abandoned failed', 'rejected', 'withdrawn', 'cancelled'],
  ],
};
/** Answers that must contain an order. */
const carriesOrder = /^(purchase (20\d|402 .*|502 .*)|look-up 200|cancel 20\d|retry (200|409 .*))$/;

/** The contradiction between an answer and its order, as text; undefined if there is none. */
export function mismatchOf(request: Request): string | undefined {
  const name = `${request.kind} ${answerOf(request)}`;
  const { order } = request;
  if (order === undefined) return carriesOrder.test(name) ? 'without an order' : undefined;
  const allowed = shown[name];
  const status = order.reason === 'payment_abandoned' ? `abandoned ${order.status}` : order.status;
  if (allowed !== undefined && !allowed.includes(status)) return `with an order that is ${status}`;
  if (request.status === 402 && order.reason !== request.code) return `with the reason ${order.reason}`;
  if (order.status === 'payable' && (order.paymentUrl === undefined || order.payBy === undefined))
    return 'with a payable order that nobody can pay';
  return undefined;
}

/** Whether a purchase was refused for good. Then no order may be stored for the purchase, neither before nor after. */
export function isRefused({ status, order }: Request): boolean {
  return order === undefined && status !== undefined && status >= 400 && status < 500;
}

/** Names a request of the history in a message. */
export function placeOf(request: Request): string {
  const answer = answerOf(request) ?? `no answer (${request.error ?? 'unknown'})`;
  return `${request.kind} at ${request.origin}, sent ${request.sentAt}, ended ${request.endedAt}: ${answer}`;
}
