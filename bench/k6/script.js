import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { isAnswer, isSettled, monitorUrl, orderIn, parsed, socketUrl } from './orders.js';

/* Buys a package with Idempotency-Keys, follows each order over its socket, and has viewers watch the package. */

const targets = (__ENV.TARGETS || 'http://127.0.0.1:8888').split(',');
const packageId = Number(__ENV.PACKAGE);
const rate = Number(__ENV.RATE || 50);
const seconds = Number(__ENV.SECONDS || 30);
const viewers = Number(__ENV.VIEWERS || 100);
/** The longest time from a look-up to the outcome. */
const outcomeTimeoutMs = 30_000;

if (!Number.isSafeInteger(packageId) || packageId < 1) throw new Error('PACKAGE=<id> must be given');

const settled = new Rate('orders_settled');
const outcomes = new Counter('order_outcomes');
const outcomeMs = new Trend('order_outcome_ms', true);
const liveMessages = new Counter('live_messages');
const liveFailures = new Counter('live_failures');

// 409 and 502 are outcomes of a sale.
http.setResponseCallback(http.expectedStatuses(200, 201, 202, 409, 502));

export const options = {
  scenarios: {
    buyers: {
      executor: 'constant-arrival-rate',
      exec: 'buy',
      rate,
      timeUnit: '1s',
      duration: `${seconds}s`,
      preAllocatedVUs: Math.min(1_000, 2 * rate),
      maxVUs: 20 * rate,
      gracefulStop: `${outcomeTimeoutMs / 1_000 + 15}s`,
    },
    ...(viewers > 0 && {
      viewers: {
        executor: 'per-vu-iterations',
        exec: 'watch',
        vus: viewers,
        iterations: 1,
        maxDuration: `${seconds + 30}s`,
      },
    }),
  },
  thresholds: {
    'http_req_duration{name:purchase}': ['p(99)<1000'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    orders_settled: ['rate==1'],
    dropped_iterations: ['count==0'],
    live_failures: ['count==0'],
    ...(viewers > 0 && { live_messages: [`count>=${viewers}`] }),
  },
};

/** @returns {{ run: string }} a name that no other run has, so that no key and no email is used twice */
export function setup() {
  return { run: `k6-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}` };
}

/** @param {number} nth */
function targetOf(nth) {
  return /** @type {string} */ (targets[nth % targets.length]);
}

/** @param {{ run: string }} data */
export function buy({ run }) {
  const nth = exec.scenario.iterationInTest;
  const origin = targetOf(nth);
  const key = `${run}-${nth}`;
  const email = `${key}@example.com`;
  const sentAt = Date.now();
  const answer = http.post(`${origin}/api/packages/${packageId}/orders`, JSON.stringify({ email }), {
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key, Prefer: 'respond-async' },
    tags: { name: 'purchase' },
    responseType: 'text',
  });
  const body = parsed(/** @type {string | null} */ (answer.body));
  check(answer, { 'the purchase is answered': ({ status }) => isAnswer(status, body) });
  const order = orderIn(body);
  if (order !== undefined) follow({ origin, email, id: order.id, sentAt });
}

/**
 * Looks the order up, and watches it on its socket until it has an outcome.
 * @param {{ origin: string, email: string, id: string, sentAt: number }} bought
 */
function follow(bought) {
  const { origin, sentAt } = bought;
  const { order, link } = lookUp(bought);
  const url = monitorUrl(origin, link);
  if (order === undefined || url === undefined || isSettled(order)) return end(order, sentAt);
  let last = order;
  const socket = new WebSocket(url);
  const tooLate = setTimeout(() => socket.close(), outcomeTimeoutMs);
  socket.onmessage = (event) => {
    liveMessages.add(1);
    const seen = orderIn(parsed(String(event?.data))?.order);
    if (seen === undefined || isSettled(last)) return;
    last = seen;
    if (isSettled(last)) socket.close();
  };
  socket.onerror = () => liveFailures.add(1);
  socket.onclose = () => {
    clearTimeout(tooLate);
    // A socket may end before the outcome: the last word is a look-up.
    end(isSettled(last) ? last : lookUp(bought).order, sentAt);
  };
}

/**
 * @param {{ origin: string, email: string, id: string }} bought
 * @returns {{ order: import('./orders.js').Order | undefined, link: string | undefined }}
 */
function lookUp({ origin, email, id }) {
  const answer = http.get(`${origin}/api/orders/${id}?email=${encodeURIComponent(email)}`, {
    tags: { name: 'look-up' },
    responseType: 'text',
  });
  const order = orderIn(parsed(/** @type {string | null} */ (answer.body)));
  check(order, { 'the order is found': (found) => found?.id === id });
  return { order, link: answer.headers.Link };
}

/**
 * @param {import('./orders.js').Order | undefined} order
 * @param {number} sentAt
 */
function end(order, sentAt) {
  const hasOutcome = order !== undefined && isSettled(order);
  settled.add(hasOutcome);
  if (!hasOutcome) return;
  outcomes.add(1, { status: order.status });
  outcomeMs.add(Date.now() - sentAt);
}

/** Watches the package until the sale is over. */
export function watch() {
  const origin = targetOf(exec.vu.idInTest);
  const socket = new WebSocket(socketUrl(origin, `/live?topic=package:${packageId}&format=json`));
  socket.onopen = () => {
    setTimeout(() => socket.close(), seconds * 1_000);
  };
  socket.onmessage = () => liveMessages.add(1);
  socket.onerror = () => liveFailures.add(1);
}
