import type { Socket } from 'node:net';
import { type ForwardedConnection, startForwarder } from '../support/forwarder.ts';

/** A fault of a network link. */
export type LinkFault =
  /** All bytes arrive later by `ms`, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections break, and new ones are refused. */
  | { readonly kind: 'cut' }
  /**
   * Nothing arrives and no side notices. After the link is healed, the bytes arrive, as if TCP had sent them again; or
   * the connection breaks, as if it had timed out.
   */
  | { readonly kind: 'blackhole' };

/** A network link to a port of the loopback, with faults. */
export interface Link extends AsyncDisposable {
  readonly port: number;
  /**
   * Applies the fault until the link is healed, to all connections for which `affected` returns true, present and new.
   */
  apply(fault: LinkFault, affected?: () => boolean): void;
  /** `survives` is called for each connection that was in a blackhole. */
  heal(survives?: () => boolean): void;
}

const always = () => true;

/** Forwards a free port of the loopback to another port. */
export async function startLink(targetPort: number): Promise<Link> {
  const connections = new Set<LinkedConnection>();
  let fault: LinkFault | undefined;
  let affects = always;
  const forwarder = await startForwarder({
    targetPort,
    allowHalfOpen: true,
    onConnection(forwarded) {
      const connection = new LinkedConnection(forwarded);
      connections.add(connection);
      forwarded.near.once('close', () => connections.delete(connection));
      if (fault !== undefined && affects()) connection.apply(fault);
      connection.open();
    },
  });
  return {
    port: forwarder.port,
    apply(next, affected = always) {
      fault = next;
      affects = affected;
      for (const connection of connections) if (affects()) connection.apply(next);
    },
    heal(survives = always) {
      fault = undefined;
      for (const connection of connections) connection.heal(survives);
    },
    [Symbol.asyncDispose]: () => forwarder[Symbol.asyncDispose](),
  };
}

/** One connection through the link. */
class LinkedConnection {
  readonly #connection: ForwardedConnection;
  #directions: readonly Direction[] = [];
  #fault: LinkFault | undefined;

  constructor(connection: ForwardedConnection) {
    this.#connection = connection;
  }

  /** Connects to the target. In a blackhole it connects only after the link is healed. */
  open(): void {
    const { near, isOpen } = this.#connection;
    if (isOpen || near.destroyed || this.#fault?.kind === 'blackhole') return;
    const far = this.#connection.open();
    this.#directions = [new Direction(near, far), new Direction(far, near)];
    if (this.#fault !== undefined) this.apply(this.#fault);
  }

  apply(fault: LinkFault): void {
    if (fault.kind === 'cut') return this.#connection.end();
    this.#fault = fault;
    for (const direction of this.#directions) {
      if (fault.kind === 'delay') direction.delayMs = fault.ms;
      else direction.hold();
    }
  }

  heal(survives: () => boolean): void {
    const before = this.#fault;
    this.#fault = undefined;
    if (before?.kind === 'blackhole' && !survives()) return this.#connection.end();
    for (const direction of this.#directions) {
      direction.delayMs = 0;
      direction.release();
    }
    this.open();
  }
}

/** One direction of a connection. Passes bytes on in their sequence, at once or after a delay. */
class Direction {
  /** Delay of the bytes that arrive from now on, in ms. */
  delayMs = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #due: { readonly at: number; readonly act: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#later(() => this.#write(bytes)));
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => {
      if (!this.#isHeld) from.resume();
    });
    to.once('close', () => clearTimeout(this.#timer));
  }

  /** Passes no bytes on until `release`. The bytes wait at the sender. */
  hold(): void {
    this.#isHeld = true;
    this.#from.pause();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#from.resume();
  }

  #write(bytes: Buffer): void {
    if (this.#to.writable && !this.#to.write(bytes)) this.#from.pause();
  }

  #later(act: () => void): void {
    if (this.delayMs === 0 && this.#due.length === 0) return act();
    const at = Math.max(performance.now() + this.delayMs, this.#due.at(-1)?.at ?? 0);
    this.#due.push({ at, act });
    if (this.#due.length === 1) this.#wait();
  }

  #wait(): void {
    const next = this.#due[0];
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#pass(), Math.max(0, next.at - performance.now()));
  }

  #pass(): void {
    const now = performance.now();
    for (let next = this.#due[0]; next !== undefined && next.at <= now + 1; next = this.#due[0]) {
      next.act();
      this.#due.shift();
    }
    this.#wait();
  }
}
