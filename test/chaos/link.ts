import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { cutOff } from '../support/cut-off.ts';
import { Direction } from './direction.ts';

/** A fault of a network link. */
export type Trouble =
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
  suffer(trouble: Trouble, strikes?: () => boolean): void;
  /** `survives` is called for each connection that was in a blackhole. */
  mend(survives?: () => boolean): void;
}

const always = () => true;

/** Forwards a free port of the loopback to another one. */
export async function startLink(targetPort: number): Promise<Link> {
  const wires = new Set<Wire>();
  let trouble: Trouble | undefined;
  let strikes = always;

  const gate = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const wire = new Wire(near, targetPort);
    wires.add(wire);
    near.once('close', () => wires.delete(wire));
    if (trouble !== undefined && strikes()) wire.suffer(trouble);
    wire.open();
  }).listen(0, '127.0.0.1');
  await once(gate, 'listening');

  return {
    port: (gate.address() as AddressInfo).port,
    suffer(next, whom = always) {
      trouble = next;
      strikes = whom;
      for (const wire of wires) if (strikes()) wire.suffer(next);
    },
    mend(survives = always) {
      trouble = undefined;
      for (const wire of wires) wire.mend(survives);
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
class Wire {
  readonly #near: Socket;
  readonly #targetPort: number;
  #far: Socket | undefined;
  #ways: readonly Direction[] = [];
  #trouble: Trouble | undefined;

  constructor(near: Socket, targetPort: number) {
    this.#near = near;
    this.#targetPort = targetPort;
    near.on('error', () => this.break()).on('close', () => this.#far?.destroy());
  }

  /** Connects to the target; in a blackhole only after it is healed. */
  open(): void {
    if (this.#far !== undefined || this.#near.destroyed || this.#trouble?.kind === 'blackhole') return;
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
    if (this.#trouble !== undefined) this.suffer(this.#trouble);
  }

  suffer(trouble: Trouble): void {
    if (trouble.kind === 'cut') return this.break();
    this.#trouble = trouble;
    for (const way of this.#ways) {
      if (trouble.kind === 'delay') way.delayMs = trouble.ms;
      else way.hold();
    }
  }

  mend(survives: () => boolean): void {
    const before = this.#trouble;
    this.#trouble = undefined;
    if (before?.kind === 'blackhole' && !survives()) return this.break();
    for (const way of this.#ways) {
      way.delayMs = 0;
      way.release();
    }
    this.open();
  }

  break(): void {
    cutOff(this.#near);
    if (this.#far !== undefined) cutOff(this.#far);
  }
}
