import { createHmac } from 'node:crypto';
import type { Erasure } from '../domain/messages.ts';
import { isSettled, type Order } from '../domain/order.ts';
import type { OperatedEngine, Result } from '../engine/operated-engine.ts';
import type { Random } from '../lib/random.ts';
import type { Operator } from '../storage/operator-log.ts';
import type { Store } from '../storage/store.ts';
import type { ChangeLog } from './change-log.ts';

export interface EraseResult {
  /** How many orders the email was erased from. */
  readonly erased: number;
  /** How many unfinished orders still have the email. Repeat the erasure when they have ended. */
  readonly left: number;
}

export interface EmailEraserOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly random: Random;
  /** Key of the hash that replaces an email in the log. */
  readonly secret: string;
}

/** How many orders are read at a time, and one message to an owner erases: few, so that no commit delays a sale. */
const batchMax = 100;
/** No address under this top-level domain can exist (RFC 2606). */
const placeholderHost = 'erased.invalid';

/** Takes an email out of every order that has ended, through the packages' owners. */
export class EmailEraser {
  readonly #options: EmailEraserOptions;
  readonly #changes: ChangeLog;

  constructor(options: EmailEraserOptions, changes: ChangeLog) {
    this.#options = options;
    this.#changes = changes;
  }

  /**
   * Replaces an email by random placeholders in every order that has ended, and also each Idempotency-Key that contains
   * the email. An erasure cannot be undone: nobody can look these orders up any more. Confirmed orders stay valid at
   * the suppliers.
   * @param email trimmed and in lower case.
   */
  erase(by: Operator, email: string): Promise<Result<EraseResult>> {
    const emailHash = emailHashOf(this.#options.secret, email);
    const request = { by, action: 'email.erase', target: { emailHash } } as const;
    return this.#changes.record(
      request,
      () => this.#erase(email),
      (result) => ({ ...result }),
    );
  }

  /** A package whose owner refuses does not keep the email in the other packages. */
  async #erase(email: string): Promise<Result<EraseResult>> {
    const { store } = this.#options;
    const total = { erased: 0, left: 0 };
    let refused: Extract<Result<EraseResult>, { kind: 'refused' }> | undefined;
    let cursor: string | undefined;
    do {
      const page = await store.ordersByEmail(email, cursor, batchMax);
      for (const [packageId, orders] of Map.groupBy(page.items, (order) => order.packageId)) {
        const result = await this.#eraseIn(packageId, email, orders);
        if (result.kind === 'refused') refused ??= result;
        else {
          total.erased += result.value.erased;
          total.left += result.value.left;
        }
      }
      cursor = page.next;
    } while (cursor !== undefined);
    return refused ?? { kind: 'done', value: total };
  }

  async #eraseIn(packageId: number, email: string, orders: readonly Order[]): Promise<Result<EraseResult>> {
    const erasures = orders.filter(isSettled).map((order) => this.#erasureOf(order, email));
    if (erasures.length === 0) return { kind: 'done', value: { erased: 0, left: orders.length } };
    const result = await this.#options.engine.erase(packageId, email, erasures);
    if (result.kind === 'refused') return result;
    const left = orders.length - erasures.length + result.value.left;
    return { kind: 'done', value: { erased: orders.length - left, left } };
  }

  /** Each order gets its own placeholder, so that nothing links the orders of one person. */
  #erasureOf({ id: orderId, key }: Order, email: string): Erasure {
    const erasure = { orderId, email: `erased-${this.#randomHex()}@${placeholderHost}` };
    const isRevealing = key !== undefined && revealsEmail(key, email);
    return isRevealing ? { ...erasure, key: `erased-${this.#randomHex()}` } : erasure;
  }

  #randomHex(): string {
    return Buffer.from(this.#options.random.bytes(16)).toString('hex');
  }
}

/**
 * Whether an Idempotency-Key reveals its buyer. Other keys stay in the order, so that a repeated request does not buy
 * again (Q7).
 */
export function revealsEmail(key: string, email: string): boolean {
  const plain = key.toLowerCase();
  const local = email.slice(0, email.lastIndexOf('@'));
  const isRandom = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(plain);
  return (
    !isRandom && (plain.includes('@') || plain.includes('%40') || (local.length > 3 && plain.includes(local)))
  );
}

/** The keyed hash that replaces an email in the log. */
export function emailHashOf(secret: string, email: string): string {
  return createHmac('sha256', secret).update(`erased-email:${email}`).digest('hex').slice(0, 32);
}
