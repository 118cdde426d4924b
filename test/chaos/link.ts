import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resetSocket } from '../support/reset-socket.ts';
import { Direction } from './direction.ts';

/** A fault of a network link. */
export type LinkFault =
  /** All bytes arrive later by `ms`, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections break, and new ones are refused. */
  | { readonly kind: 'cut' }
  /**
   * Nothing arrives and no side notices. After it is healed, the bytes arrive, as if TCP had retransmitted them; or the
   * connection breaks, as if it had timed out.
   */
  | { readonly kind: 'blackhole' };

/** A network link to a port of the loopback, with faults. */
export interface Link extends AsyncDisposable {
  readonly port: number;
  /** Applies the fault to all connections, present and new, for which `affects` returns true, until it is healed. */
  apply(fault: LinkFault, strikes?: () => boolean): void;
  /** `survives` is called for each connection that was in a blackhole. */
  heal(survives?: () => boolean): void;
}

const always = () => true;

/** Forwards a free port of the loopback to another one. */
export async function startLink(targetPort: number): Promise<Link> {
  const wires = new Set<LinkedConnection>();
  let fault: LinkFault | undefined;
  let strikes = always;

  const gate = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const wire = new LinkedConnection(near, targetPort);
    wires.add(wire);
    near.once('close', () => wires.delete(wire));
    if (fault !== undefined && strikes()) wire.apply(fault);
    wire.open();
  }).listen(0, '127.0.0.1');
  await once(gate, 'listening');

  return {
    port: (gate.address() as AddressInfo).port,
    apply(next, whom = always) {
      fault = next;
      strikes = whom;
      for (const wire of wires) if (strikes()) wire.apply(next);
    },
    heal(survives = always) {
      fault = undefined;
      for (const wire of wires) wire.heal(survives);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(gate, 'close');
      gate.close();
      for (const wire of wires) wire.break();
      await closed;
    },
  };
}

/** One connection through the link. */
class LinkedConnection {
  readonly #near: Socket;
  readonly #targetPort: number;
  #far: Socket | undefined;
  #ways: readonly Direction[] = [];
  #fault: LinkFault | undefined;

  constructor(near: Socket, targetPort: number) {
    this.#near = near;
    this.#targetPort = targetPort;
    near.on('error', () => this.break()).on('close', () => this.#far?.destroy());
  }

  /** Connects to the target; in a blackhole only after it is healed. */
  open(): void {
    if (this.#far !== undefined || this.#near.destroyed || this.#fault?.kind === 'blackhole') return;
    const near = this.#near;
    const far = connect({
      port: this.#targetPort,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
    });
    this.#far = far;
    far.on('error', () => this.break()).on('close', () => near.destroy());
    this.#ways = [new Direction(near, far), new Direction(far, near)];
    if (this.#fault !== undefined) this.apply(this.#fault);
  }

  apply(fault: LinkFault): void {
    if (fault.kind === 'cut') return this.break();
    this.#fault = fault;
    for (const way of this.#ways) {
      if (fault.kind === 'delay') way.delayMs = fault.ms;
      else way.hold();
    }
  }

  heal(survives: () => boolean): void {
    const before = this.#fault;
    this.#fault = undefined;
    if (before?.kind === 'blackhole' && !survives()) return this.break();
    for (const way of this.#ways) {
      way.delayMs = 0;
      way.release();
    }
    this.open();
  }

  break(): void {
    resetSocket(this.#near);
    if (this.#far !== undefined) resetSocket(this.#far);
  }
}
