import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * A proof that its bearer may see an order: what a signed link or the live socket carries instead of the email
 * (rule Q10). 128 bits of HMAC-SHA256 over the order's id.
 */
export function orderSignature(secret: string, orderId: string): string {
  return createHmac('sha256', secret)
    .update(`order:${orderId}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

export function isOrderSignature(secret: string, orderId: string, proof: string): boolean {
  const expected = Buffer.from(orderSignature(secret, orderId));
  const given = Buffer.from(proof);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
