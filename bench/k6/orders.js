/* What the script knows of the API. Pure, so that it runs in Node too. */

/** Statuses in which an order has no outcome yet. A payable order waits for its buyer, so it has one. */
const openStatuses = ['queued', 'held', 'compensating', 'cancelling'];

/** Problems that are outcomes of a sale. */
const outcomes = ['sold_out', 'queue_full', 'supplier_failed'];

/** @typedef {{ id: string, status: string }} Order */

/**
 * @param {{ status: string }} order
 * @returns {boolean} whether it has an outcome
 */
export function isSettled({ status }) {
  return !openStatuses.includes(status);
}

/**
 * @param {string | null} text a body of the API, or a message of the socket
 * @returns {any} undefined for a text that is no JSON object
 */
export function parsed(text) {
  try {
    const value = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {any} body an order, a problem that may have one, or a message about one
 * @returns {Order | undefined}
 */
export function orderIn(body) {
  const order = body?.order ?? body;
  return typeof order?.id === 'string' && typeof order.status === 'string' ? order : undefined;
}

/**
 * @param {number} status
 * @param {any} body
 * @returns {boolean} whether a purchase may be answered like that in a sale without faults
 */
export function isAnswer(status, body) {
  if (status >= 200 && status < 300) return orderIn(body) !== undefined;
  return outcomes.includes(body?.code);
}

/**
 * @param {string} origin of the instance that answered
 * @param {string | undefined} link the header `Link` of a look-up
 * @returns {string | undefined} where the order is watched
 */
export function monitorUrl(origin, link) {
  const path = /<([^>]+)>; rel="monitor"/.exec(link ?? '')?.[1];
  return path === undefined ? undefined : socketUrl(origin, path);
}

/**
 * @param {string} origin
 * @param {string} path
 * @returns {string} the address of a WebSocket
 */
export function socketUrl(origin, path) {
  return `${origin.replace(/^http/, 'ws')}${path}`;
}
