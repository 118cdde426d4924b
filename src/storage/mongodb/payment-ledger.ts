import type { Page } from '../../lib/page.ts';
import {
  neverRequested,
  type PaymentEntry,
  type PaymentLedger,
  type PaymentMove,
  type PaymentStatus,
  paymentMoves,
} from '../../suppliers/suppliers.ts';
import { pageOf } from '../store-helpers.ts';
import { hasNumber } from './collections.ts';
import type { Connection } from './connection.ts';
import { documentVersion, type PaymentDocument, refuseNewer } from './documents.ts';
import { upsert } from './errors.ts';
import { first } from './reads.ts';

/** The ledger of the simulated payment provider, shared by all instances. */
export class MongoPaymentLedger implements PaymentLedger {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async record(entry: PaymentEntry): Promise<PaymentEntry> {
    const { key, ...fields } = entry;
    const $setOnInsert = { v: documentVersion, ...fields };
    const { payments } = this.#connection.collections;
    const stored = await this.#connection.write((session) =>
      upsert(() =>
        payments.findOneAndUpdate(
          { _id: key },
          { $setOnInsert },
          { upsert: true, returnDocument: 'after', session },
        ),
      ),
    );
    return stored === null ? entry : entryFrom(stored);
  }

  find(key: string): Promise<PaymentEntry | undefined> {
    return this.#found({ _id: key });
  }

  async findByNumber(number: string): Promise<PaymentEntry | undefined> {
    return number === '' ? undefined : this.#found({ number: { $eq: number, ...hasNumber.number } });
  }

  /** No payment gets an earlier status of a move again, so the statuses can be tried one after the other. */
  async move(key: string, move: PaymentMove): Promise<PaymentEntry | undefined> {
    if (move === 'cancel') await this.record(neverRequested(key));
    const { payments } = this.#connection.collections;
    for (const [from, to] of Object.entries(paymentMoves[move]) as [PaymentStatus, PaymentStatus][]) {
      const moved = await this.#connection.write((session) =>
        payments.findOneAndUpdate(
          { _id: key, status: from },
          { $set: { status: to } },
          { returnDocument: 'after', session },
        ),
      );
      if (moved !== null) return entryFrom(moved);
    }
    return this.find(key);
  }

  page(cursor: string | undefined, limit: number): Promise<Page<PaymentEntry>> {
    return this.#connection.run(async (session) => {
      const found = this.#connection.collections.payments.find(
        { _id: { $gt: cursor ?? '' } },
        { ...this.#connection.current(session), ...first(limit), sort: { _id: 1 } },
      );
      return pageOf((await found.toArray()).map(entryFrom), limit, ({ key }) => key);
    });
  }

  #found(filter: object): Promise<PaymentEntry | undefined> {
    return this.#connection.run(async (session) => {
      const { payments } = this.#connection.collections;
      const found = await payments.findOne(filter, this.#connection.current(session));
      return found === null ? undefined : entryFrom(found);
    });
  }
}

function entryFrom(document: PaymentDocument): PaymentEntry {
  refuseNewer(document);
  const { _id: key, status, amount, currency, number, returnUrl } = document;
  return { key, status, amount, currency, number, returnUrl };
}
