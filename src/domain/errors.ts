/** Advice to a caller whether to repeat a failed request. */
export type RetryAdvice =
  /** Repeating the request gives the same error. */
  | 'no'
  /** The same request may succeed later, with the same Idempotency-Key if it had one. */
  | 'later'
  /** A new purchase, with a fresh key, may succeed. */
  | 'anew';

export interface ErrorKind {
  readonly title: string;
  readonly status:
    | 400
    | 401
    | 402
    | 403
    | 404
    | 405
    | 408
    | 409
    | 413
    | 415
    | 422
    | 426
    | 429
    | 431
    | 500
    | 502
    | 503;
  readonly retry: RetryAdvice;
  /** Seconds for `Retry-After`. */
  readonly retryAfterS?: number;
  /** The error in English words for a customer's page: a sentence or two without jargon. The pages translate it. */
  readonly words: string;
}

/** The only list of errors. Problems, pages, docs and tests read it. */
export const errorCatalogue = {
  sold_out: {
    title: 'Every place is sold',
    status: 409,
    retry: 'no',
    words: 'This trip is sold out. You have not been charged.',
  },
  queue_full: {
    title: 'The queue for the places still being booked is full',
    status: 409,
    retry: 'later',
    retryAfterS: 2,
    words: 'The queue for this trip is full right now. Try again in a moment.',
  },
  not_open: {
    title: 'The sale has not opened yet',
    status: 409,
    retry: 'later',
    words: 'This trip is not on sale yet.',
  },
  sale_closed: {
    title: 'The sale has closed',
    status: 409,
    retry: 'no',
    words: 'This trip is no longer on sale.',
  },
  order_limit: {
    title: 'This email has reached its limit of orders for this package',
    status: 409,
    retry: 'no',
    words: 'You already have an order for this trip with this email. You will find it under My orders.',
  },
  in_progress: {
    title: 'The order is being booked and cannot be cancelled right now',
    status: 409,
    retry: 'later',
    retryAfterS: 2,
    words: 'We are booking this order right now. You can cancel it as soon as it is confirmed.',
  },
  not_cancellable: {
    title: 'The order has ended without a booking: there is nothing to cancel',
    status: 409,
    retry: 'no',
    words: 'This order ended without a booking, so there is nothing to cancel.',
  },
  trip_over: {
    title: 'The trip is over: the order cannot be cancelled any more',
    status: 409,
    retry: 'no',
    words: 'This trip is over, so it can no longer be cancelled.',
  },
  version_conflict: {
    title: 'The package has changed since it was read',
    status: 409,
    retry: 'anew',
    words: 'Someone else has changed this package. Check it and make your change again.',
  },
  quota_too_low: {
    title: 'The quota cannot be below the places held and confirmed',
    status: 422,
    retry: 'no',
    words: 'The quota cannot be lower than the number of places booked or being booked.',
  },
  unknown_package: {
    title: 'No such package',
    status: 404,
    retry: 'no',
    words: 'We do not have this trip. Choose one of those on sale.',
  },
  package_exists: {
    title: 'A package with this id exists already',
    status: 409,
    retry: 'no',
    words: 'A package with this number exists already.',
  },
  package_not_empty: {
    title: 'The package has been ordered: it cannot be deleted',
    status: 409,
    retry: 'no',
    words: 'This package has been ordered, so it cannot be deleted. Archive it when its sale has ended.',
  },
  sale_not_ended: {
    title: 'The sale has not ended: the package cannot be archived yet',
    status: 409,
    retry: 'later',
    retryAfterS: 2,
    words:
      'The sale has not ended. Pause it or let it close, and wait until no order is waiting, being booked or being cancelled.',
  },
  unknown_order: {
    title: 'No order with this id and email',
    status: 404,
    retry: 'no',
    words: 'We found no order with this number and email. Check both and try again.',
  },
  not_retryable: {
    title: 'The order has ended: there is nothing left to try',
    status: 409,
    retry: 'no',
    words: 'This order has ended, so there is nothing to try again.',
  },
  unknown_instance: {
    title: 'No such instance',
    status: 404,
    retry: 'no',
    words: 'There is no instance with this name any more.',
  },
  no_answer: {
    title: 'The instance does not answer',
    status: 503,
    retry: 'later',
    retryAfterS: 2,
    words: 'The instance does not answer. Check its state before you try again.',
  },
  audit_running: {
    title: 'An audit or a reconciliation is already running',
    status: 409,
    retry: 'later',
    retryAfterS: 10,
    words: 'Another audit or reconciliation is running. Try again when it has finished.',
  },
  ledger_unavailable: {
    title: "The suppliers' ledger cannot be read",
    status: 502,
    retry: 'later',
    retryAfterS: 10,
    words: 'The suppliers’ ledger cannot be read. Try again in a moment.',
  },
  unknown_route: {
    title: 'No such resource',
    status: 404,
    retry: 'no',
    words: 'There is nothing at this address.',
  },
  bad_request: {
    title: 'The request could not be read as HTTP',
    status: 400,
    retry: 'no',
    words: 'We could not read that request.',
  },
  request_timeout: {
    title: 'The request did not arrive in time',
    status: 408,
    retry: 'later',
    words: 'Your request took too long to reach us. Please try again.',
  },
  headers_too_large: {
    title: 'The request headers are too large',
    status: 431,
    retry: 'no',
    words: 'That was too much to send at once.',
  },
  method_not_allowed: {
    title: 'This resource does not support that method',
    status: 405,
    retry: 'no',
    words: 'This is not possible here.',
  },
  upgrade_required: {
    title: 'This resource speaks WebSocket only',
    status: 426,
    retry: 'no',
    words: 'There is no page at this address.',
  },
  body_too_large: {
    title: 'The request body is too large',
    status: 413,
    retry: 'no',
    words: 'That was too much to send at once.',
  },
  unsupported_media_type: {
    title: 'The content type is not supported',
    status: 415,
    retry: 'no',
    words: 'We could not read that form.',
  },
  invalid: {
    title: 'The request is not valid',
    status: 422,
    retry: 'no',
    words: 'Please check what you entered.',
  },
  key_reused: {
    title: 'The Idempotency-Key was used with another request',
    status: 422,
    retry: 'anew',
    words: 'This form was already sent with other details. Start a new order.',
  },
  cross_site: {
    title: 'The form was sent from another site',
    status: 403,
    retry: 'no',
    words: 'This form did not come from our own pages. Open the page again and send it from there.',
  },
  unauthorized: {
    title: 'A valid token is needed',
    status: 401,
    retry: 'no',
    words: 'This needs a valid token.',
  },
  read_only: {
    title: 'This operator may only read',
    status: 403,
    retry: 'no',
    words: 'You may see everything here, but change nothing.',
  },
  rate_limited: {
    title: 'Too many requests',
    status: 429,
    retry: 'later',
    retryAfterS: 1,
    words: 'Too many requests at once. Wait a moment, then try again.',
  },
  supplier_failed: {
    title: 'A supplier could not book this order',
    status: 502,
    retry: 'anew',
    words: 'The booking failed. You have not been charged.',
  },
  flight_unavailable: {
    title: 'The flight has no seat',
    status: 409,
    retry: 'no',
    words: 'The airline had no seat. You have not been charged.',
  },
  hotel_unavailable: {
    title: 'The hotel has no room',
    status: 409,
    retry: 'no',
    words: 'The hotel had no room. You have not been charged.',
  },
  invalid_ticket: {
    title: 'The flight ticket number is unknown, cancelled or of another flight',
    status: 422,
    retry: 'no',
    words: 'The hotel did not accept the flight ticket. You have not been charged.',
  },
  unknown_payment: {
    title: 'There is no such payment',
    status: 404,
    retry: 'no',
    words: 'There is no such payment.',
  },
  payment_refused: {
    title: 'The payment provider refuses this payment',
    status: 409,
    retry: 'no',
    words: 'The payment provider did not accept the payment. You have not been charged.',
  },
  payment_declined: {
    title: 'The payment was declined',
    status: 402,
    retry: 'anew',
    words: 'Your payment was declined. You have not been charged.',
  },
  payment_expired: {
    title: 'The order was not paid in time',
    status: 402,
    retry: 'anew',
    words: 'This order was not paid in time. If you paid later, your payment is refunded.',
  },
  invalid_signature: {
    title: 'The event is not signed as it must be, or it is too old',
    status: 403,
    retry: 'no',
    words: 'This message is not signed.',
  },
  cancelled: {
    title: 'The reservation under this key is cancelled',
    status: 409,
    retry: 'no',
    words: 'This reservation is cancelled.',
  },
  overloaded: {
    title: 'The server is overloaded',
    status: 503,
    retry: 'later',
    retryAfterS: 1,
    words: 'So many people are ordering right now that we could not take your order. Try again in a moment.',
  },
  no_owner: {
    title: 'No instance answers for this package right now',
    status: 503,
    retry: 'later',
    retryAfterS: 1,
    words: 'We cannot take orders for this trip at the moment. Try again in a few seconds.',
  },
  paused: {
    title: 'The sale of this package is paused',
    status: 503,
    retry: 'later',
    retryAfterS: 10,
    words: 'The sale of this trip is paused. Everyone in the queue keeps their position.',
  },
  store_unavailable: {
    title: 'The store cannot be reached',
    status: 503,
    retry: 'later',
    retryAfterS: 2,
    words: 'We cannot take orders at the moment. It is safe to send the same form again.',
  },
  not_ready: {
    title: 'This instance cannot take orders now',
    status: 503,
    retry: 'later',
    retryAfterS: 1,
    words: 'We cannot take orders at the moment. Try again in a few seconds.',
  },
  internal: {
    title: 'Something went wrong on the server',
    status: 500,
    retry: 'later',
    words: 'Something went wrong on our side. It is safe to send the same form again.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

export function errorKind(code: ErrorCode): ErrorKind {
  return errorCatalogue[code];
}
