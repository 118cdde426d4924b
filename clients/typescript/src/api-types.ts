/*
 * The types of the API. `npm run client:types` generates them from /openapi.json and /asyncapi.json: do not edit them.
 */

export interface Buyer {
  /** An email address. Its case does not matter. A domain with other letters is accepted too, and becomes ASCII: `bücher.example` is `xn--bcher-kva.example`. The pattern is that of the ASCII form. */
  readonly email: string;
}

export interface ClockUpdate {
  /** The server's clock, as Unix time in ms. */
  readonly now: number;
}

export interface Offer {
  readonly flight: string;
  /** The night, as an ISO date. */
  readonly stay: string;
  /** In whole units of the currency. */
  readonly price: number;
}

export interface Order {
  /** Nobody guesses it: with the email it is all that is needed to see and cancel the order. */
  readonly id: string;
  readonly packageId: number;
  /** The package as bought. Its price is in units of `currency`, if the order has that. */
  readonly package: Offer;
  readonly email: string;
  /** `queued`: it is in the queue; `held`: it holds a place, and the suppliers are being asked; `payable`: its place, flight and hotel are held until `payBy`: it is confirmed once it is paid at `paymentUrl`; `compensating`: it failed, and what was reserved is being cancelled; `confirmed`: it is booked; `cancelling`: it was booked, and is being cancelled; `failed`: a supplier could not book it, or it was not paid; `rejected`: it was in the queue until everything was sold; `withdrawn`: it left the queue; `cancelled`: it was booked, then cancelled. */
  readonly status:
    | 'queued'
    | 'held'
    | 'payable'
    | 'compensating'
    | 'confirmed'
    | 'cancelling'
    | 'failed'
    | 'rejected'
    | 'withdrawn'
    | 'cancelled';
  /** Why it failed. `flight_unavailable`: the flight had no seat; `hotel_unavailable`: the hotel had no room; `invalid_ticket`: the hotel did not accept the flight ticket; `supplier_silent`: a supplier did not answer in time; `sold_out`: every place was sold; `payment_refused`: the payment provider did not accept the payment; `payment_declined`: the payment was declined; `payment_expired`: it was not paid in time; a later payment is refunded; `payment_abandoned`: its buyer cancelled it instead of paying. */
  readonly reason?:
    | 'flight_unavailable'
    | 'hotel_unavailable'
    | 'invalid_ticket'
    | 'supplier_silent'
    | 'sold_out'
    | 'payment_refused'
    | 'payment_declined'
    | 'payment_expired'
    | 'payment_abandoned';
  readonly flight?: {
    readonly ticketNumber: string;
  };
  readonly hotel?: {
    readonly reservationNumber: string;
  };
  /** The price in minor units of the currency, such as cents. Absent if the order need not be paid. */
  readonly amount?: number;
  /** An ISO 4217 code. Present with `amount`. */
  readonly currency?: string;
  /** Of a payable order: if it is not paid until then, its place goes to the next in the queue. */
  readonly payBy?: string;
  /** Of a payable order: where its buyer pays. */
  readonly paymentUrl?: string;
  /** The position in the queue, while it is known. */
  readonly queuePosition?: number;
  /** Of a queued order: how long it will probably wait for a place, or for a sell-out, by the pace of the queue in the last minutes. Null while that is not known. A sell-out can end the wait earlier. */
  readonly estimatedWait?: {
    readonly minSeconds: number;
    readonly maxSeconds: number;
  } | null;
  readonly createdAt: string;
  readonly timeline: readonly ({
    readonly at: string;
    readonly event:
      | 'queued'
      | 'claimed'
      | 'flight reserved'
      | 'flight refused'
      | 'flight unknown'
      | 'hotel reserved'
      | 'hotel refused'
      | 'hotel unknown'
      | 'payment due'
      | 'payment refused'
      | 'payment unknown'
      | 'paid'
      | 'payment declined'
      | 'payment expired'
      | 'confirmed'
      | 'compensating'
      | 'cancel requested'
      | 'flight cancelled'
      | 'hotel cancelled'
      | 'payment cancelled'
      | 'released'
      | 'failed'
      | 'cancelled'
      | 'withdrawn'
      | 'sold out';
    readonly detail?: string;
  })[];
}

export interface OrderEvent {
  readonly type:
    | 'order.payable'
    | 'order.confirmed'
    | 'order.failed'
    | 'order.cancelled'
    | 'order.refunded';
  /** When it happened. */
  readonly timestamp: string;
  readonly data: {
    /** The order as it was then. */
    readonly order: Order;
  };
}

export interface OrderUpdate {
  readonly order: Order;
}

export interface Package {
  readonly id: number;
  readonly flight: string;
  /** The night, as an ISO date. */
  readonly stay: string;
  /** In whole units of the currency. */
  readonly price: number;
  /** Places on sale in total: remaining + held + confirmed. */
  readonly quota: number;
  readonly remaining: number;
  /** Places that are being booked; they may come back. */
  readonly held: number;
  readonly confirmed: number;
  /** Orders in the queue. */
  readonly waiting: number;
  readonly opensAt?: string;
  readonly closesAt?: string;
  readonly paused?: true;
  /** It is in no list, and is bought by its id. */
  readonly listed?: false;
  /** Its sale has ended for good, and it is in no list. */
  readonly archived?: true;
}

export interface PackagePurchase {
  /** An email address. Its case does not matter. A domain with other letters is accepted too, and becomes ASCII: `bücher.example` is `xn--bcher-kva.example`. The pattern is that of the ASCII form. At most 64 characters before the @, and 63 between two dots of the domain. */
  readonly email: string;
}

export interface PackageUpdate {
  readonly package: Package;
}

export interface Packages {
  readonly packages: readonly Package[];
  /** The cursor of the next page, if there is one. */
  readonly next?: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What went wrong; it never changes its meaning. */
  readonly code:
    | 'sold_out'
    | 'queue_full'
    | 'not_open'
    | 'sale_closed'
    | 'order_limit'
    | 'in_progress'
    | 'not_cancellable'
    | 'trip_over'
    | 'version_conflict'
    | 'quota_too_low'
    | 'unknown_package'
    | 'package_exists'
    | 'package_not_empty'
    | 'sale_not_ended'
    | 'unknown_order'
    | 'not_retryable'
    | 'unknown_instance'
    | 'no_answer'
    | 'audit_running'
    | 'ledger_unavailable'
    | 'unknown_route'
    | 'bad_request'
    | 'request_timeout'
    | 'headers_too_large'
    | 'method_not_allowed'
    | 'upgrade_required'
    | 'body_too_large'
    | 'unsupported_media_type'
    | 'invalid'
    | 'key_reused'
    | 'cross_site'
    | 'unauthorized'
    | 'read_only'
    | 'rate_limited'
    | 'supplier_failed'
    | 'flight_unavailable'
    | 'hotel_unavailable'
    | 'invalid_ticket'
    | 'unknown_payment'
    | 'payment_refused'
    | 'payment_declined'
    | 'payment_expired'
    | 'invalid_signature'
    | 'cancelled'
    | 'overloaded'
    | 'no_owner'
    | 'paused'
    | 'store_unavailable'
    | 'not_ready'
    | 'internal';
  /** A sentence about this very case. */
  readonly detail?: string;
  /** The order that it is about. */
  readonly instance?: string;
  /** What is wrong with the members of the request; `path` is dotted. */
  readonly errors?: readonly {
    readonly path: string;
    readonly message: string;
  }[];
  /** The order that it is about, where there is one. */
  readonly order?: Order;
}

export interface Purchase {
  /** A package's number. */
  readonly packageId: number;
  /** An email address. Its case does not matter. A domain with other letters is accepted too, and becomes ASCII: `bücher.example` is `xn--bcher-kva.example`. The pattern is that of the ASCII form. At most 64 characters before the @, and 63 between two dots of the domain. */
  readonly email: string;
}
