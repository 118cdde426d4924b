import type { LiveListener } from '../../src/realtime/live-bus.ts';
import type { SimHost, World } from './world.ts';

/** A process's place in the network. */
export interface Station {
  readonly host: SimHost;
  /** Whether it announces itself. */
  isJoined: boolean;
  isClosed: boolean;
  /** A request or an answer arrives. */
  take: (what: 'request' | 'answer', text: string) => void;
  readonly listeners: Set<(members: readonly string[]) => void>;
  /** Whom it believes to be there. */
  members: readonly string[];
  /** Live news arrive. */
  readonly hear: (what: keyof LiveListener, item: never) => void;
}

/** How long somebody who is gone is still believed to be there, and how soon others hear of who comes. */
const noticedMs = { gone: 1_500, come: 100 };

/** One way between two processes. */
interface Way {
  sent: number;
  /** The newest that has arrived. */
  arrived: number;
  /** When the last one arrives that was not late: what is sent after it does not overtake it. */
  lastAt: number;
}

/** The network between the processes: who can hear whom, and what is on its way. */
export class Network {
  readonly #world: World;
  readonly #stations = new Map<string, Station>();
  readonly #ways = new Map<string, Way>();
  #lives = 0;
  /** `from>to` for those who are not heard. */
  readonly cut = new Set<string>();
  /** Whether a process cannot reach what carries messages and leases. */
  isAway: (host: SimHost) => boolean = () => false;

  constructor(world: World) {
    this.#world = world;
  }

  enter(station: Station): void {
    this.#stations.set(station.host.name, station);
  }

  /** Makes what a process says its own, whoever had its name before. */
  nextLife(): number {
    this.#lives += 1;
    return this.#lives;
  }

  /** Whoever has that name by now, and lives. */
  station(name: string): Station | undefined {
    const station = this.#stations.get(name);
    return station?.host.isAlive === true && !station.isClosed ? station : undefined;
  }

  /** Those that can be told something. */
  others(name: string): string[] {
    return [...this.#stations.keys()].filter((other) => other !== name && this.station(other) !== undefined);
  }

  /** Somebody came or went: each of the others notices at a time of its own. */
  changed(isGone: boolean): void {
    const { scheduler, dice } = this.#world;
    for (const { host } of this.#stations.values()) {
      const delayMs = (isGone ? noticedMs.gone : noticedMs.come) * dice.between(0.2, 1.5);
      scheduler.after(delayMs, 'looks who is there', () => this.look(host.name), host);
    }
  }

  /** Somebody looks who announces itself, of those that it hears. */
  look(name: string): void {
    const station = this.station(name);
    // While there is nobody to ask, the last list stands.
    if (station === undefined || this.isAway(station.host)) return;
    const members = this.#present().filter((other) => !this.cut.has(`${other}>${name}`));
    if (members.join() === station.members.join()) return;
    station.members = members;
    for (const listener of station.listeners) {
      try {
        listener(members);
      } catch (error) {
        this.#world.violate('bug', `a listener of members failed: ${String(error)}`);
      }
    }
  }

  /** Carries something: it may get lost, come twice, or come late and so out of order. */
  carry(from: SimHost, to: string, what: string, deliver: (station: Station) => void): void {
    const world = this.#world;
    // What a process that has just died still tries to say is not said.
    if (!from.isAlive) return;
    if (this.isAway(from)) return;
    if (world.strikes('crashStep')) return from.crash(`before it says: ${what}`);
    const way = this.#way(`${from.name}>${to}`);
    const number = ++way.sent;
    const arrive = () => {
      // An inbox outlives the process that it was for.
      const station = this.station(to);
      if (station === undefined || this.isAway(station.host)) return;
      if (this.cut.has(`${from.name}>${to}`)) return world.counters.count('message cut off');
      if (number < way.arrived) world.counters.count('message overtaken');
      way.arrived = Math.max(way.arrived, number);
      world.scheduler.after(0, what, () => deliver(station), station.host);
    };
    const copies = world.strikes('messageTwice') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (!world.strikes('messageLost'))
        world.scheduler.after(this.#delayMs(way), `${from.name} ⇒ ${what}`, arrive);
    }
  }

  /** What comes in time comes in the order in which it was sent. */
  #delayMs(way: Way): number {
    const { dice, scheduler } = this.#world;
    if (this.#world.strikes('messageLate')) return dice.between(0.2, dice.pick([100, 1_000, 3_000, 10_000]));
    way.lastAt = Math.max(way.lastAt, scheduler.now + dice.between(0.2, 2));
    return way.lastAt - scheduler.now;
  }

  #way(name: string): Way {
    let way = this.#ways.get(name);
    if (way === undefined) {
      way = { sent: 0, arrived: 0, lastAt: 0 };
      this.#ways.set(name, way);
    }
    return way;
  }

  /** Those who announce themselves, sorted. */
  #present(): string[] {
    return [...this.#stations.values()]
      .filter(({ host, isJoined, isClosed }) => host.isAlive && isJoined && !isClosed)
      .map(({ host }) => host.name)
      .sort();
  }
}
