import type { Notice, NoticeChannel } from '../../src/domain/notices.ts';
import { type DeadLetter, noticeId } from '../../src/storage/outbox.ts';

/** A notice with the package of its order. */
interface OwedNotice {
  readonly packageId: number;
  readonly notice: Notice;
}

/** The notices that the stored orders owe. Every method is one atomic, durable step that cannot fail by itself. */
export class OutboxCore {
  /** By the ids of the notices. */
  readonly owed = new Map<string, OwedNotice>();
  readonly dead = new Map<string, DeadLetter>();
  /** Called with every notice that is given up. */
  onGivenUp: (letter: DeadLetter) => void = () => {};

  add(packageId: number, notices: readonly Notice[]): void {
    for (const notice of notices) this.owed.set(noticeId(notice), { packageId, notice });
  }

  settle(delivered: readonly Notice[], givenUp: readonly DeadLetter[]): void {
    for (const letter of givenUp) {
      this.dead.set(noticeId(letter), letter);
      this.onGivenUp(letter);
    }
    for (const notice of [...delivered, ...givenUp]) this.owed.delete(noticeId(notice));
  }

  packagesOwing(channels: readonly NoticeChannel[]): number[] {
    const owing = [...this.owed.values()].filter(({ notice }) => channels.includes(notice.channel));
    return [...new Set(owing.map(({ packageId }) => packageId))].sort((one, other) => one - other);
  }

  /** The notices of a package on a channel, by the ids of their orders. */
  ofPackage(channel: NoticeChannel, packageId: number): ReadonlyMap<string, readonly Notice[]> {
    const notices = [...this.owed.values()].flatMap((each) =>
      each.packageId === packageId && each.notice.channel === channel ? [each.notice] : [],
    );
    return Map.groupBy(notices, ({ orderId }) => orderId);
  }
}
