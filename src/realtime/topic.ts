import type { ErrorCode } from '../domain/errors.ts';
import { parseOrderId } from '../domain/order.ts';
import { isOrderSignature } from '../http/order-access.ts';

/** What customers watch: every package, one of them, or one order. */
export type CustomerTopic =
  | { readonly kind: 'packages' }
  | { readonly kind: 'package'; readonly packageId: number }
  | { readonly kind: 'order'; readonly orderId: string };

/** What a connection watches. Operators' pages watch everything, and have to be signed in. */
export type Topic = CustomerTopic | { readonly kind: 'admin' };

/** Shared by thousands of connections. */
const allPackages: Topic = { kind: 'packages' };
const admin: Topic = { kind: 'admin' };

/**
 * Reads `topic=packages`, `topic=package:3`, `topic=admin` or `topic=order:<id>&proof=<proof>`. An order without its proof is
 * refused like an order that does not exist (rule Q10).
 */
export function parseTopic(query: URLSearchParams, secret: string): Topic | ErrorCode {
  const text = query.get('topic') ?? '';
  if (text === 'packages') return allPackages;
  if (text === 'admin') return admin;
  const packageId = /^package:([1-9]\d{0,8})$/.exec(text)?.[1];
  if (packageId !== undefined) return { kind: 'package', packageId: Number(packageId) };
  if (!text.startsWith('order:')) return 'unknown_route';
  const orderId = parseOrderId(text.slice('order:'.length));
  if (orderId === undefined || !isOrderSignature(secret, orderId, query.get('proof') ?? ''))
    return 'unknown_order';
  return { kind: 'order', orderId };
}
