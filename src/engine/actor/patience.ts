import type { PackageMessage } from '../../domain/messages.ts';

const codes = { store: 'store_unavailable', owner: 'no_owner' } as const;

/** Answers the callers that have waited past their deadline; returns the messages that are still to be processed. */
export function expire(
  batch: readonly PackageMessage[],
  now: number,
  cause: keyof typeof codes,
): PackageMessage[] {
  return batch.flatMap((message) => {
    if (!('caller' in message) || now <= message.deadlineAt) return [message];
    message.caller({ kind: 'refused', code: codes[cause] });
    // It may be stored, and nobody is told its id any more: it shall not stand in the line for nothing.
    const isLost = message.kind === 'purchase' && message.inDoubt === true && message.key === undefined;
    return isLost ? [{ kind: 'withdraw', orderId: message.orderId }] : [];
  });
}

/** Sends the callers to the instance that owns the package now; what carries no caller is found in the store there. */
export function redirect(batch: readonly PackageMessage[]): void {
  for (const message of batch) if ('caller' in message) message.caller({ kind: 'notOwner' });
}
