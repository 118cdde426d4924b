import type { PaymentStatus } from '../../src/suppliers/suppliers.ts';
import type { SimEvent } from './event-receiver.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { Prng } from './prng.ts';
import type { PaymentCore } from './sim-payments.ts';
import type { World } from './world.ts';

/** The delays of events that are on time, and of late ones, at most, in ms. */
const [promptMs, lateMs] = [20, 20_000];
/** How often the provider sends an event that nobody has accepted, and after how long, in ms. */
const triesMax = 3;
const againMs = 2_000;
const accepted = 204;
const refused = 403;

/** Sends the provider's events to instances, and also events that nobody should believe. */
export class PaymentEvents {
  readonly #world: World;
  readonly #balancer: LoadBalancer;
  readonly #prng: Prng;
  #count = 0;

  constructor(world: World, core: PaymentCore, balancer: LoadBalancer, prng: Prng) {
    this.#world = world;
    this.#balancer = balancer;
    this.#prng = prng;
    core.onEvent = ({ key, status }) => this.tell(key, status);
  }

  /** Sends an event about a payment, true or not. */
  tell(key: string, status: PaymentStatus): void {
    const world = this.#world;
    if (world.strikes('eventForged')) this.#send({ ...this.#event(key, 'paid'), isForged: true });
    if (world.strikes('eventFalse')) {
      const about = this.#prng.chance(0.2) ? 'NONE-NONE-NONE-NONE' : key;
      this.#send(this.#event(about, this.#prng.pick(['paid', 'declined', 'refunded'] as const)));
    }
    const event = this.#event(key, status);
    if (world.strikes('eventLost')) return;
    this.#send(event);
    if (world.strikes('eventTwice')) this.#send(event);
  }

  #event(key: string, status: PaymentStatus): SimEvent {
    this.#count += 1;
    return { id: `msg_${this.#count}`, key, status, isForged: false };
  }

  #send(event: SimEvent, tries = 1): void {
    const delayMs = this.#prng.between(0.2, this.#world.strikes('eventLate') ? lateMs : promptMs);
    const what = `${event.isForged ? 'forged ' : ''}event ${event.id}: ${event.key} ${event.status}`;
    this.#world.scheduler.after(delayMs, what, () => {
      this.#deliver(event, tries).catch((error: unknown) =>
        this.#world.violate('bug', `an event saw ${String(error)}`, error),
      );
    });
  }

  async #deliver(event: SimEvent, tries: number): Promise<void> {
    const { counters } = this.#world;
    const instance = this.#balancer.pickInstance();
    const status =
      instance?.receiveEvent && (await this.#balancer.withTimeout(instance, instance.receiveEvent(event)));
    if (status !== undefined) this.#check(event, status);
    if (status === accepted) return counters.count('event accepted');
    if (event.isForged || tries >= triesMax) return;
    await this.#balancer.wait(againMs);
    this.#send(event, tries + 1);
  }

  /** A forged event is refused. Any other one is accepted, or can be sent again. */
  #check(event: SimEvent, status: number): void {
    const isRight = event.isForged ? status === refused : status === accepted || status >= 500;
    const kind = event.isForged ? 'a forged' : 'an';
    this.#world.require(isRight, 'Q11', () => `${kind} event about ${event.key} was answered with ${status}`);
    if (event.isForged) this.#world.counters.count('forged event refused');
  }
}
