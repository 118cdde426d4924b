import type { NoticeChannel, OrderAt } from '../domain/notices.ts';
import type { AbortState } from '../lib/abort.ts';

/** A way to deliver notices. */
export interface Channel {
  readonly name: NoticeChannel;
  /**
   * Its connections, and so the most deliveries at once. Others wait before their timeout begins, which therefore measures
   * the receiver alone.
   */
  readonly deliveriesMax: number;
  /**
   * Delivers a notice. After the signal has aborted, nothing more is sent.
   * @throws DeliveryError
   */
  deliver(notice: OrderAt, signal: AbortState): Promise<void>;
  close(): void;
}

/** A notice was not delivered, or nobody knows. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Whether another attempt would fail too. */
  readonly isFinal: boolean;
  /** Whether the receiver takes other notices, and refuses this recipient alone. */
  readonly isOfRecipient: boolean;

  /** @param reason is logged and shown to operators, so it contains no email, no link and no text of the receiver. */
  constructor(reason: string, { isFinal = false, isOfRecipient = false } = {}) {
    super(reason);
    this.isFinal = isFinal;
    this.isOfRecipient = isOfRecipient;
  }
}
