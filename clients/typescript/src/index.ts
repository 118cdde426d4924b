export type { Offer, Order, OrderEvent, Package, Packages, Problem, Purchase } from './api-types.ts';
export {
  type ErrorCode,
  NoAnswerError,
  OutcomeTimeoutError,
  ProblemError,
  PurchaseAbortedError,
  TicketError,
} from './errors.ts';
export type { LiveMessage, Socket, SocketConstructor, SocketEvent } from './live-socket.ts';
export { type FinalStatus, isFinal, type OutcomeOptions, type PayableOrder } from './outcome.ts';
export type { Fetch } from './requests.ts';
export {
  type BuyOptions,
  type CallOptions,
  type OrderKey,
  type PackagesQuery,
  TicketClient,
  type TicketClientOptions,
} from './ticket-client.ts';
export type { Clock, Random } from './timing.ts';
