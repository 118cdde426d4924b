import type {
  Answer,
  Cancel,
  Erase,
  PackageMessage,
  Purchase,
  Retry,
  UpdatePackage,
} from '../domain/messages.ts';

/** What a caller wants of a package, whichever instance owns it: a message without its way back. */
export type Command =
  | Omit<Purchase, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<Cancel, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<UpdatePackage, 'caller' | 'deadlineAt'>
  | Omit<Retry, 'caller' | 'deadlineAt'>
  | Omit<Erase, 'caller' | 'deadlineAt'>;

/** Takes commands to a package's owner, and answers with what the owner said. Never rejects. */
export interface Route {
  send(packageId: number, command: Command): Promise<Answer>;
  /** Its caller hung up. Best effort. */
  withdraw(packageId: number, orderId: string): void;
}

/** Gives a command its way back. */
export function toMessage(
  command: Command,
  deadlineAt: number,
  caller: Purchase['caller'],
): Extract<PackageMessage, { caller: unknown }> {
  return { ...command, deadlineAt, caller };
}
