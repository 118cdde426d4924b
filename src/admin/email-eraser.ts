import { createHmac } from 'node:crypto';
import type { Erasure } from '../domain/messages.ts';
import { isSettled, type Order } from '../domain/order.ts';
import type { OperatedEngine, Result } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
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
  readonly clock: Clock;
  readonly random: Random;
  /** Key of the hash that replaces an email in the log. */
  readonly secret: string;
}

/** How many order numbers one read covers. */
const span = 2_000;
/** How many orders one message to an owner erases: few, so that the commit does not delay a sale. */
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

  async #erase(email: string): Promise<Result<EraseResult>> {
    const total = { erased: 0, left: 0 };
    for (const { package: travelPackage } of await this.#options.store.packages()) {
      const result = await this.#eraseIn(travelPackage.id, email);
      if (result.kind === 'refused') return result;
      total.erased += result.value.erased;
      total.left += result.value.left;
    }
    return { kind: 'done', value: total };
  }

  async #eraseIn(packageId: number, email: string): Promise<Result<EraseResult>> {
    const { store, engine, clock } = this.#options;
    const total = { erased: 0, left: 0 };
    let cursor: string | undefined;
    do {
      const page = await store.ordersOfEmail(packageId, email, cursor, span);
      const ended = page.items.filter(isSettled);
      total.left += page.items.length - ended.length;
      for (let at = 0; at < ended.length; at += batchMax) {
        const erasures = ended.slice(at, at + batchMax).map((order) => this.#erasureOf(order, email));
        const result = await engine.erase(packageId, email, erasures);
        if (result.kind === 'refused') return result;
        total.left += result.value.left;
        total.erased += erasures.length - result.value.left;
      }
      cursor = page.next;
      // A store in this process blocks the event loop while it reads, so other work gets a turn after each page.
      if (cursor !== undefined) await clock.sleep(1);
    } while (cursor !== undefined);
    return { kind: 'done', value: total };
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
