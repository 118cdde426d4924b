import { type Order, orderStatuses, type TimelineEntry } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import { type Log, silentLog } from '../observability/log.ts';
import { type DocumentSubject, UnreadableError } from './store.ts';

/** A newer release wrote the document, and this release could misunderstand it. */
export class NewerDocumentError extends Error {
  override readonly name = 'NewerDocumentError';
  readonly version: number;

  constructor(version: number) {
    super(`a document was written by a newer release (document version ${version}): run that release`);
    this.version = version;
  }
}

/** How many unreadable documents are remembered and logged. */
const knownMax = 1_000;

/**
 * The documents that could not be read. Each of the first 1,000 is logged once, until it can be read. A single entry
 * says that there are more. The log and the errors never contain text of a document, because it may have an email.
 */
export class UnreadableDocuments {
  readonly #log: Log;
  readonly #known = new Map<number | string, UnreadableError>();
  #isFullLogged = false;

  constructor(log: Log = silentLog) {
    this.#log = log;
  }

  /** @param parse throws any error if it cannot read the document. */
  read<Item>(subject: DocumentSubject, parse: () => Item): Item | UnreadableError {
    try {
      const item = parse();
      if (this.#known.size > 0) this.#known.delete(keyOf(subject));
      return item;
    } catch (error) {
      return this.#noted(subject, error instanceof NewerDocumentError ? error.version : undefined);
    }
  }

  /** Forgets a package or an order that is not stored any more. */
  forget(id: number | string): void {
    this.#known.delete(id);
  }

  list(): readonly UnreadableError[] {
    return [...this.#known.values()];
  }

  /** Forgets the packages between a page's cursor and its `next` that are not stored any more. */
  forgetPackagesBut(
    cursor: string | undefined,
    { next }: { readonly next?: string },
    stored: () => readonly number[],
  ): void {
    if (this.#known.size === 0) return;
    const ids = new Set(stored());
    const isInPage = (id: number) => id > Number(cursor ?? 0) && id <= Number(next ?? id);
    for (const key of this.#known.keys())
      if (typeof key === 'number' && isInPage(key) && !ids.has(key)) this.#known.delete(key);
  }

  #noted(subject: DocumentSubject, version: number | undefined): UnreadableError {
    const known = this.#known.get(keyOf(subject));
    if (known !== undefined && known.version === version) return known;
    const error = new UnreadableError(subject, version);
    if (known === undefined && this.#known.size >= knownMax) {
      if (!this.#isFullLogged) this.#log.error({ known: knownMax }, 'more documents cannot be read');
      this.#isFullLogged = true;
      return error;
    }
    this.#known.set(keyOf(subject), error);
    this.#log.error({ ...subject, ...(version === undefined ? {} : { version }) }, error.message);
    return error;
  }
}

function keyOf({ packageId = 0, orderId, eventId }: DocumentSubject): number | string {
  return orderId ?? eventId ?? packageId;
}

/** The item. @throws UnreadableError */
export function readable<Item>(read: Item | UnreadableError): Item {
  if (read instanceof UnreadableError) throw read;
  return read;
}

/** Separates the unreadable documents; `unreadable` is absent if there are none. */
export function sift<Item>(read: readonly (Item | UnreadableError)[]): {
  readonly items: Item[];
  readonly unreadable?: UnreadableError[];
} {
  const items: Item[] = [];
  const unreadable: UnreadableError[] = [];
  for (const each of read) {
    if (each instanceof UnreadableError) unreadable.push(each);
    else items.push(each);
  }
  return unreadable.length === 0 ? { items } : { items, unreadable };
}

/** Returns the package. @throws TypeError if its shape is wrong. */
export function checkedPackage(snapshot: PackageSnapshot): PackageSnapshot {
  const { id, flight, stay, price, quota, version } = snapshot.package;
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = snapshot.inventory;
  const isShaped =
    areTexts(flight, stay) &&
    areNumbers(id, price, quota, version, remaining, held, confirmed, cancelling, waiting, nextNumber);
  if (!isShaped) throw new TypeError('a package has another shape');
  return snapshot;
}

const statuses: ReadonlySet<unknown> = new Set(orderStatuses);

/** Returns the order. @throws TypeError if its shape is wrong. */
export function checkedOrder(order: Order): Order {
  const {
    id,
    packageId,
    number,
    package: offer,
    email,
    key,
    language,
    status,
    flight,
    hotel,
    payment,
    createdAt,
    timeline,
  } = order;
  const isShaped =
    areTexts(id, offer.flight, offer.stay, email) &&
    areNumbers(packageId, number, offer.price, createdAt) &&
    (key === undefined || areTexts(key)) &&
    (language === undefined || areTexts(language)) &&
    (flight === undefined || areTexts(flight.ticketNumber)) &&
    (hotel === undefined || areTexts(hotel.reservationNumber)) &&
    (payment === undefined ||
      (areNumbers(payment.amount) && areTexts(payment.currency, payment.provider ?? ''))) &&
    statuses.has(status) &&
    timeline.every(isEntry);
  if (!isShaped) throw new TypeError('an order has another shape');
  return order;
}

function isEntry({ at, event }: TimelineEntry): boolean {
  return typeof at === 'number' && typeof event === 'string';
}

function areTexts(...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

function areNumbers(...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'number' && Number.isFinite(value));
}
