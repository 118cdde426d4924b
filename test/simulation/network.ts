import type { LiveListener } from '../../src/realtime/live-bus.ts';
import type { SimHost, World } from './world.ts';

/** A process in the simulated network. */
export interface SimulatedNode {
  readonly host: SimHost;
  /** Whether the node is a member. */
  isJoined: boolean;
  isClosed: boolean;
  /** Called when a request or an answer arrives. */
  receive: (what: 'request' | 'answer', text: string) => void;
  readonly listeners: Set<(members: readonly string[]) => void>;
  /** The members that the node currently sees. */
  members: readonly string[];
  /** Called when a live update arrives. */
  readonly receiveLive: (what: keyof LiveListener, item: never) => void;
}

/** Delays until other nodes notice that a member has gone or come, in ms. */
const noticedMs = { gone: 1_500, come: 100 };

/** The link from one process to another. */
interface Link {
  sent: number;
  /** Number of the newest message that has arrived. */
  arrived: number;
  /** Arrival time of the last message that was not late. Later messages do not overtake this message. */
  lastAt: number;
}

/** The network between the processes, with losses, delays and partitions. */
export class Network {
  readonly #world: World;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #links = new Map<string, Link>();
  #lives = 0;
  /** A member that never answers. */
  ghost: string | undefined;
  /** The cut links, as `from>to`. */
  readonly cut = new Set<string>();
  /** Whether the transport of messages and leases is unavailable to a process. */
  isAway: (host: SimHost) => boolean = () => false;

  constructor(world: World) {
    this.#world = world;
  }

  add(node: SimulatedNode): void {
    this.#nodes.set(node.host.name, node);
  }

  /** A number that distinguishes the messages of processes with the same name. */
  nextLife(): number {
    this.#lives += 1;
    return this.#lives;
  }

  /** The live node with this name. */
  node(name: string): SimulatedNode | undefined {
    const node = this.#nodes.get(name);
    return node?.host.isAlive === true && !node.isClosed ? node : undefined;
  }

  /** Names of the other live nodes. */
  otherNodes(name: string): string[] {
    return [...this.#nodes.keys()].filter((other) => other !== name && this.node(other) !== undefined);
  }

  /** Schedules when each node notices a change of members. Each node has its own delay. */
  membersChanged(isGone: boolean): void {
    const { scheduler, prng } = this.#world;
    for (const { host } of this.#nodes.values()) {
      const delayMs = (isGone ? noticedMs.gone : noticedMs.come) * prng.between(0.2, 1.5);
      scheduler.after(delayMs, 'looks who is there', () => this.refreshMembers(host.name), host);
    }
  }

  /** Updates the list of members that a node sees: the joined nodes whose messages reach it. */
  refreshMembers(name: string): void {
    const node = this.node(name);
    // While the transport is unavailable, the list does not change.
    if (node === undefined || this.isAway(node.host)) return;
    const all = this.ghost === undefined ? this.#joinedNames() : [this.ghost, ...this.#joinedNames()];
    const members = all.filter((other) => !this.cut.has(`${other}>${name}`));
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

  /** Sends a message, which may be lost, duplicated, or late and out of order. */
  send(from: SimHost, to: string, what: string, deliver: (node: SimulatedNode) => void): void {
    const world = this.#world;
    // A dead process sends nothing.
    if (!from.isAlive) return;
    if (this.isAway(from)) return;
    if (world.strikes('crashStep')) return from.crash(`before it says: ${what}`);
    const link = this.#link(`${from.name}>${to}`);
    const number = ++link.sent;
    const arrive = () => {
      // Look the receiver up again, because a process with the same name may have replaced it.
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

  /**
   * The delay of the next message on a link. Messages that are not late arrive in the sequence in which they were sent.
   */
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

  /** Names of the joined live nodes, sorted. */
  #joinedNames(): string[] {
    return [...this.#nodes.values()]
      .filter(({ host, isJoined, isClosed }) => host.isAlive && isJoined && !isClosed)
      .map(({ host }) => host.name)
      .sort();
  }
}
