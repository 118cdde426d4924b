import type {
  CallOutcome,
  CancelRequest,
  FlightRequest,
  PartnerKind,
  PaymentFound,
  PaymentRequest,
  Suppliers,
} from '../../src/suppliers/suppliers.ts';

/** Suppliers whose flight answers come from the test. Every call is recorded. */
export class ScriptedSuppliers implements Suppliers {
  /** Unanswered flight requests, oldest first. */
  readonly flights: PromiseWithResolvers<CallOutcome>[] = [];
  readonly cancelled: { kind: PartnerKind; key: string }[] = [];
  readonly flightKeys: string[] = [];
  readonly paymentRequests: PaymentRequest[] = [];
  /** What look-ups of payments find. */
  paymentFound: PaymentFound = 'due';
  paymentLookUps = 0;
  isMostlyAvailable = true;
  readonly #unavailable = new Set<number>();
  readonly #listeners = new Set<(packageId: number, available: boolean) => void>();

  reserveFlight({ key }: FlightRequest, signal: AbortSignal): Promise<CallOutcome> {
    this.flightKeys.push(key);
    const reply = Promise.withResolvers<CallOutcome>();
    this.flights.push(reply);
    signal.addEventListener('abort', () => reply.resolve({ kind: 'unknown', cause: 'stopped' }));
    return reply.promise;
  }

  async reserveHotel({ key }: { key: string }): Promise<CallOutcome> {
    return { kind: 'reserved', number: `H-${key}` };
  }

  async requestPayment(request: PaymentRequest): Promise<CallOutcome> {
    this.paymentRequests.push(request);
    return { kind: 'reserved', number: `https://pay.example/${request.key}` };
  }

  async findPayment(..._: Parameters<Suppliers['findPayment']>): Promise<PaymentFound> {
    this.paymentLookUps += 1;
    return this.paymentFound;
  }

  async cancel(kind: PartnerKind, { key }: CancelRequest): Promise<boolean> {
    this.cancelled.push({ kind, key });
    return true;
  }

  available(packageId: number): boolean {
    return !this.#unavailable.has(packageId);
  }

  setAvailable(available: boolean, packageId = 1): void {
    if (available) this.#unavailable.delete(packageId);
    else this.#unavailable.add(packageId);
    for (const listener of this.#listeners) listener(packageId, available);
  }

  onAvailability(listener: (packageId: number, available: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Answers the oldest flight request. */
  answerFlight(reply: CallOutcome = { kind: 'reserved', number: 'F1' }): void {
    const question = this.flights.shift();
    if (question === undefined) throw new Error('no flight was asked for');
    question.resolve(reply);
  }
}
