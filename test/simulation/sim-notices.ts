import { type NoticeChannel, noticeChannels, type OrderAt } from '../../src/domain/notices.ts';
import { type Channel, DeliveryError } from '../../src/notifications/channel.ts';
import { Dispatcher } from '../../src/notifications/dispatcher.ts';
import { attemptsMax } from '../../src/notifications/lane.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { noticeId } from '../../src/storage/outbox.ts';
import { toldEventsOf } from '../support/told-events.ts';
import { Prng } from './prng.ts';
import { simOutbox } from './sim-outbox.ts';
import type { StoreCore, StoreOutage } from './sim-store.ts';
import type { SimHost, World } from './world.ts';

/**
 * The mail server and the receiver of webhooks, with faults that are drawn from the seed. Holds against the stored orders
 * what they are told, and when.
 */
export class Receivers {
  readonly #world: World;
  readonly #store: StoreCore;
  /** Has its own seed, because the draws of a simulation without notices must stay the same. */
  readonly #prng: Prng;
  /** Probabilities: a message does not arrive, its answer does not, it hangs, or it is refused for good. */
  readonly #lost: number;
  readonly #replyLost: number;
  readonly #hangs: number;
  readonly #refused: number;
  /** The notices that have arrived, by their ids. */
  readonly #arrived = new Set<string>();
  readonly #refusedForGood = new Set<string>();

  constructor(world: World, store: StoreCore, seed: number) {
    const prng = new Prng(seed + 0x6d61696c);
    this.#world = world;
    this.#store = store;
    this.#prng = prng;
    this.#lost = prng.pick([0, 0, 0.05, 0.5]);
    this.#replyLost = prng.pick([0, 0.05, 0.3]);
    this.#hangs = prng.pick([0, 0, 0.02]);
    this.#refused = prng.pick([0, 0, 0.05]);
    store.outbox.onGivenUp = (letter) => {
      const isDue = letter.attempts >= attemptsMax || this.#refusedForGood.has(noticeId(letter));
      world.counters.count('notice given up');
      world.require(isDue, 'Q6', () => `${noticeId(letter)} was given up after ${letter.attempts} attempts`);
    };
  }

  channel(name: NoticeChannel, host: SimHost): Channel {
    return {
      ...{ name, deliveriesMax: 16 },
      deliver: (notice) => {
        if (this.#strikes(this.#hangs, 'hangs')) return new Promise(() => {});
        return this.#world.call(host, `${name} ${notice.event} of ${notice.order.id}`, {
          serve: () => this.#arrives(name, notice),
          failed: () => this.#strikes(this.#lost, 'lost'),
          unavailable: () => new DeliveryError('HTTP 503'),
        });
      },
      close() {},
    };
  }

  /** Whether nothing is owed that can be read and has an owner. */
  get isOver(): boolean {
    return [...this.#store.outbox.owed.values()].every(
      ({ packageId, notice }) => this.#store.spoilt.has(notice.orderId) || !this.#store.isOwnable(packageId),
    );
  }

  /** Q6: at the end every event of every order has arrived at each receiver, or is a dead letter. */
  checkSettled(): void {
    for (const order of this.#store.orders.values()) {
      if (this.#store.spoilt.has(order.id) || !this.#store.isOwnable(order.packageId)) continue;
      for (const channel of noticeChannels) {
        for (const event of toldEventsOf(order)) {
          const id = `${order.id}.${event}.${channel}`;
          this.#world.require(this.#isDone(id), 'Q6', () => `${id} was never delivered`);
        }
      }
    }
  }

  #arrives(name: NoticeChannel, { order, event }: OrderAt): void {
    const id = noticeId({ channel: name, orderId: order.id, event });
    const stored = this.#store.orders.get(order.id);
    const events = stored === undefined ? [] : toldEventsOf(stored);
    this.#world.require(events.includes(event), 'Q6', () => `${id} is told, and is not so`);
    const early = events
      .slice(0, events.indexOf(event))
      .find((each) => !this.#isDone(`${order.id}.${each}.${name}`));
    this.#world.require(early === undefined, 'Q6', () => `${id} came before ${early}`);
    if (this.#strikes(this.#refused, 'refused')) {
      this.#refusedForGood.add(id);
      throw new DeliveryError('SMTP 550', { isFinal: true, isOfRecipient: true });
    }
    this.#world.counters.count(this.#arrived.has(id) ? 'notice repeated' : 'notice delivered');
    this.#arrived.add(id);
    if (this.#strikes(this.#replyLost, 'reply lost')) throw new DeliveryError('no answer in time');
  }

  #isDone(id: string): boolean {
    return this.#arrived.has(id) || this.#refusedForGood.has(id) || this.#store.outbox.dead.has(id);
  }

  #strikes(share: number, what: string): boolean {
    const isStruck = this.#world.calmMs === 0 && this.#prng.chance(share);
    if (isStruck) this.#world.counters.count(`notice ${what}`);
    return isStruck;
  }
}

/** Delivers notices in one process: the production code over the simulated outbox and receivers. */
export function simNotifications(
  world: World,
  host: SimHost,
  { store, receivers, isAway }: { store: StoreCore; receivers: Receivers; isAway: StoreOutage },
  log: Log = silentLog,
): Dispatcher {
  return new Dispatcher({
    channels: noticeChannels.map((name) => receivers.channel(name, host)),
    store: simOutbox(world, host, store, isAway),
    clock: world.clockOf(host),
    random: world.prng.fork(),
    ...{ log, metrics: noMetrics, makePace: () => ({ rest: async () => {} }) },
  });
}
