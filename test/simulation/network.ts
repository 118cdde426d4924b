import type { LiveListener } from '../../src/realtime/live-bus.ts';
import type { SimHost, World } from './world.ts';

/** A process's place in the network. */
export interface SimulatedNode {
  readonly host: SimHost;
  /** Whether it announces itself. */
  isJoined: boolean;
  isClosed: boolean;
  /** A request or an answer arrives. */
  receive: (what: 'request' | 'answer', text: string) => void;
  readonly listeners: Set<(members: readonly string[]) => void>;
  /** Whom it believes to be there. */
  members: readonly string[];
  /** Live news arrive. */
  readonly receiveLive: (what: keyof LiveListener, item: never) => void;
}

/** How long somebody who is gone is still believed to be there, and how soon others hear of who comes. */
const noticedMs = { gone: 1_500, come: 100 };

/** One link between two processes. */
interface Link {
  sent: number;
  /** The newest that has arrived. */
  arrived: number;
  /** When the last one arrives that was not late: what is sent after it does not overtake it. */
  lastAt: number;
}

/** The network between the processes: who can hear whom, and what is on its link. */
export class Network {
  readonly #world: World;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #links = new Map<string, Link>();
  #lives = 0;
  /** `from>to` for those who are not heard. */
  readonly cut = new Set<string>();
  /** Whether a process cannot reach what carries messages and leases. */
  isAway: (host: SimHost) => boolean = () => false;

  constructor(world: World) {
    this.#world = world;
  }

  add(node: SimulatedNode): void {
    this.#nodes.set(node.host.name, node);
  }

  /** Makes what a process says its own, whoever had its name before. */
  nextLife(): number {
    this.#lives += 1;
    return this.#lives;
  }

  /** Whoever has that name by now, and lives. */
  node(name: string): SimulatedNode | undefined {
    const node = this.#nodes.get(name);
    return node?.host.isAlive === true && !node.isClosed ? node : undefined;
  }

  /** Those that can be told something. */
  otherNodes(name: string): string[] {
    return [...this.#nodes.keys()].filter((other) => other !== name && this.node(other) !== undefined);
  }

  /** Somebody came or went: each of the others notices at a time of its own. */
  membersChanged(isGone: boolean): void {
    const { scheduler, prng } = this.#world;
    for (const { host } of this.#nodes.values()) {
      const delayMs = (isGone ? noticedMs.gone : noticedMs.come) * prng.between(0.2, 1.5);
      scheduler.after(delayMs, 'looks who is there', () => this.refreshMembers(host.name), host);
    }
  }

  /** Somebody looks who announces itself, of those that it hears. */
  refreshMembers(name: string): void {
    const node = this.node(name);
    // While there is nobody to ask, the last list stands.
    if (node === undefined || this.isAway(node.host)) return;
    const members = this.#joinedNames().filter((other) => !this.cut.has(`${other}>${name}`));
    if (members.join() === node.members.join()) return;
    node.members = members;
    for (const listener of node.listeners) {
      try {
        listener(members);
      } catch (error) {
        this.#world.violate('bug', `a listener of members failed: ${String(error)}`);
      }
    }
  }

  /** Carries something: it may get lost, come twice, or come late and so out of order. */
  send(from: SimHost, to: string, what: string, deliver: (node: SimulatedNode) => void): void {
    const world = this.#world;
    // What a process that has just died still tries to say is not said.
    if (!from.isAlive) return;
    if (this.isAway(from)) return;
    if (world.strikes('crashStep')) return from.crash(`before it says: ${what}`);
    const link = this.#link(`${from.name}>${to}`);
    const number = ++link.sent;
    const arrive = () => {
      // An inbox outlives the process that it was for.
      const node = this.node(to);
      if (node === undefined || this.isAway(node.host)) return;
      if (this.cut.has(`${from.name}>${to}`)) return world.counters.count('message cut off');
      if (number < link.arrived) world.counters.count('message overtaken');
      link.arrived = Math.max(link.arrived, number);
      world.scheduler.after(0, what, () => deliver(node), node.host);
    };
    const copies = world.strikes('messageTwice') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (!world.strikes('messageLost'))
        world.scheduler.after(this.#delayMs(link), `${from.name} ⇒ ${what}`, arrive);
    }
  }

  /** What comes in time comes in the order in which it was sent. */
  #delayMs(link: Link): number {
    const { prng, scheduler } = this.#world;
    if (this.#world.strikes('messageLate')) return prng.between(0.2, prng.pick([100, 1_000, 3_000, 10_000]));
    link.lastAt = Math.max(link.lastAt, scheduler.now + prng.between(0.2, 2));
    return link.lastAt - scheduler.now;
  }

  #link(name: string): Link {
    let link = this.#links.get(name);
    if (link === undefined) {
      link = { sent: 0, arrived: 0, lastAt: 0 };
      this.#links.set(name, link);
    }
    return link;
  }

  /** Those who announce themselves, sorted. */
  #joinedNames(): string[] {
    return [...this.#nodes.values()]
      .filter(({ host, isJoined, isClosed }) => host.isAlive && isJoined && !isClosed)
      .map(({ host }) => host.name)
      .sort();
  }
}
