import type { LiveBus, LiveListener } from '../../ports/live-bus.ts';
import { type Json, type Messages, MessagesUnavailableError, NoAnswerError } from '../../ports/messages.ts';
import type { SimHost, World } from './world.ts';

type Handler = (request: Json, from: string) => Promise<Json>;

interface Station {
  readonly host: SimHost;
  isJoined: boolean;
  handler: Handler | undefined;
  readonly listeners: Set<(members: readonly string[]) => void>;
  /** Whom it believes to be there. */
  members: readonly string[];
  readonly hear: (what: keyof LiveListener, item: never) => void;
}

/** How long somebody who is gone is still believed to be there, and how soon others hear of who comes. */
const noticedMs = { gone: 1_500, come: 100 };

/** The network between the processes: who can hear whom, and what is on its way. */
export class Network {
  readonly #world: World;
  readonly #stations = new Map<string, Station>();
  /** `from>to` for those who are not heard. */
  readonly cut = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  enter(station: Station): void {
    this.#stations.set(station.host.name, station);
  }

  station(name: string): Station | undefined {
    const station = this.#stations.get(name);
    return station?.host.isAlive === true ? station : undefined;
  }

  /** Those who announce themselves. */
  present(): string[] {
    const stations = [...this.#stations.values()];
    return stations
      .filter(({ host, isJoined }) => host.isAlive && isJoined)
      .map(({ host }) => host.name)
      .sort();
  }

  /** Somebody came or went: each of the others notices at a time of its own. */
  changed(isGone: boolean): void {
    const { scheduler, dice } = this.#world;
    for (const { host } of this.#stations.values()) {
      const delayMs = (isGone ? noticedMs.gone : noticedMs.come) * dice.between(0.2, 1.5);
      scheduler.after(delayMs, 'looks who is there', () => this.#look(host.name), host);
    }
  }

  #look(name: string): void {
    const station = this.station(name);
    if (station === undefined) return;
    const members = this.present().filter((other) => other === name || !this.cut.has(`${other}>${name}`));
    if (members.join() === station.members.join()) return;
    station.members = members;
    for (const listener of station.listeners) listener(members);
  }

  /** Carries something: it may get lost, come twice, or come late and so out of order. */
  carry(from: SimHost, to: string, what: string, deliver: (station: Station) => void): void {
    const { scheduler, dice } = this.#world;
    // What a process that has just died still tries to say is not said.
    if (!from.isAlive) return;
    const copies = this.#world.strikes('messageTwice') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#world.strikes('messageLost')) continue;
      const delayMs = this.#world.strikes('messageLate') ? dice.pick([100, 1_000, 3_000, 10_000]) : 2;
      const arrive = () => {
        // Whoever has the name by now: an inbox outlives the process that it was for.
        const station = this.station(to);
        if (station === undefined) return;
        if (this.cut.has(`${from.name}>${to}`)) return this.#world.counters.count('message cut off');
        scheduler.after(0, what, () => deliver(station), station.host);
      };
      scheduler.after(dice.between(0.2, delayMs), `${from.name} ⇒ ${what}`, arrive);
    }
  }

  others(name: string): string[] {
    return [...this.#stations.keys()].filter((other) => other !== name);
  }
}

/** A process's place in the network: requests, answers, who is there, and live changes. */
export function simStation(world: World, host: SimHost, network: Network, local: LiveBus) {
  const { scheduler } = world;
  let requests = 0;
  const station: Station = {
    host,
    isJoined: false,
    handler: undefined,
    listeners: new Set(),
    members: [host.name],
    hear: (what, item) => {
      if (what === 'package') local.publishPackage(item);
      else if (what === 'order') local.publishOrder(item);
      else local.publishLine(item);
    },
  };
  network.enter(station);

  function ask(to: string, request: Json, timeoutMs: number): Promise<Json> {
    const id = ++requests;
    return new Promise((resolve, reject) => {
      const sentAt = scheduler.now;
      scheduler.after(
        timeoutMs,
        `no answer to ${id}`,
        () => reject(new NoAnswerError(`${to} did not answer`)),
        host,
      );
      if (!station.isJoined) return reject(new MessagesUnavailableError('not joined'));
      const text = JSON.stringify(request);
      network.carry(host, to, `request ${id} to ${to}`, ({ handler, host: receiver }) => {
        if (handler === undefined || scheduler.now - sentAt > timeoutMs) return;
        handler(JSON.parse(text) as Json, host.name).then(
          (answer) => {
            const answered = JSON.stringify(answer);
            if (!receiver.isAlive) return;
            network.carry(receiver, host.name, `answer ${id} to ${host.name}`, () =>
              resolve(JSON.parse(answered) as Json),
            );
          },
          (error: unknown) => world.violate('bug', `a handler of messages failed: ${String(error)}`),
        );
      });
    });
  }

  const messages: Messages = {
    members: () => station.members,
    onMembers(listener) {
      station.listeners.add(listener);
      return () => station.listeners.delete(listener);
    },
    ask,
    serve(handler) {
      station.handler = handler;
    },
    async join() {
      station.isJoined = true;
      station.members = network.present();
      network.changed(false);
    },
    async leave() {
      station.isJoined = false;
      network.changed(true);
    },
    available: true,
    close: async () => {},
  };

  function tellOthers(what: keyof LiveListener, item: unknown): void {
    for (const other of network.others(host.name)) {
      network.carry(host, other, `news to ${other}`, ({ hear }) => hear(what, item as never));
    }
  }

  const liveBus: LiveBus = {
    publishPackage(snapshot) {
      local.publishPackage(snapshot);
      tellOthers('package', snapshot);
    },
    publishOrder(order) {
      local.publishOrder(order);
      tellOthers('order', order);
    },
    publishLine(line) {
      local.publishLine(line);
      tellOthers('line', line);
    },
    subscribe: (listener) => local.subscribe(listener),
    close: () => local.close(),
  };
  return { messages, liveBus };
}
