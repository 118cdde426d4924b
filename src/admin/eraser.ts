import { createHmac } from 'node:crypto';
import type { Erasure } from '../domain/messages.ts';
import { isSettled, type Order } from '../domain/order.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Operator } from '../storage/operator-log.ts';
import type { Store } from '../storage/store.ts';
import type { EraseResult, Outcome } from './admin-service.ts';
import type { ChangeLog } from './change-log.ts';

export interface EraserOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly changes: ChangeLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Keys the hash that stands for an email in the log. */
  readonly secret: string;
}

/** Numbers that one reading looks through. */
const span = 2_000;
/** A commit of so many stays small beside a sale's. */
const batchMax = 100;
/** The top-level domain is reserved: nobody can ever have such an address (RFC 2606). */
const placeholderHost = 'erased.invalid';

/** Takes an email out of every order that has ended, through the packages' owners. */
export class Eraser {
  readonly #options: EraserOptions;

  constructor(options: EraserOptions) {
    this.#options = options;
  }

  erase(by: Operator, email: string): Promise<Outcome<EraseResult>> {
    const emailHash = emailHashOf(this.#options.secret, email);
    const asked = { by, action: 'email.erase', target: { emailHash } } as const;
    return this.#options.changes.record(
      asked,
      () => this.#erase(email),
      (erased) => ({ ...erased }),
    );
  }

  async #erase(email: string): Promise<Outcome<EraseResult>> {
    const total = { erased: 0, left: 0 };
    for (const { package: travelPackage } of await this.#options.store.packages()) {
      const outcome = await this.#eraseIn(travelPackage.id, email);
      if (outcome.kind === 'refused') return outcome;
      total.erased += outcome.value.erased;
      total.left += outcome.value.left;
    }
    return { kind: 'done', value: total };
  }

  async #eraseIn(packageId: number, email: string): Promise<Outcome<EraseResult>> {
    const { store, engine, clock } = this.#options;
    const total = { erased: 0, left: 0 };
    let cursor: string | undefined;
    do {
      const page = await store.ordersOfEmail(packageId, email, cursor, span);
      const ended = page.items.filter(isSettled);
      total.left += page.items.length - ended.length;
      for (let at = 0; at < ended.length; at += batchMax) {
        const erasures = ended.slice(at, at + batchMax).map((order) => this.#erasureOf(order, email));
        const answer = await engine.erase(packageId, email, erasures);
        if (answer.kind === 'refused') return answer;
        total.left += answer.left;
        total.erased += erasures.length - answer.left;
      }
      cursor = page.next;
      // Where the store is in this process, a walk through millions would keep it from everything else.
      if (cursor !== undefined) await clock.sleep(1);
    } while (cursor !== undefined);
    return { kind: 'done', value: total };
  }

  /** One for each order: what has lost its email must not be held together by what came in its place. */
  #erasureOf({ id: orderId, key }: Order, email: string): Erasure {
    const erased = { orderId, email: `erased-${this.#drawn()}@${placeholderHost}` };
    const isTelling = key !== undefined && tellsEmail(key, email);
    return isTelling ? { ...erased, key: `erased-${this.#drawn()}` } : erased;
  }

  #drawn(): string {
    return Buffer.from(this.#options.random.bytes(16)).toString('hex');
  }
}

/**
 * Whether an Idempotency-Key gives its buyer away. Others stay: they are what keeps a repeated request from buying
 * again (rule Q7).
 */
export function tellsEmail(key: string, email: string): boolean {
  const plain = key.toLowerCase();
  const local = email.slice(0, email.lastIndexOf('@'));
  const isRandom = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(plain);
  return (
    !isRandom && (plain.includes('@') || plain.includes('%40') || (local.length > 3 && plain.includes(local)))
  );
}

/** What stands for an email where none may be kept. */
export function emailHashOf(secret: string, email: string): string {
  return createHmac('sha256', secret).update(`erased-email:${email}`).digest('hex').slice(0, 32);
}
