import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Arrivals } from './arrivals.ts';
import { type FindFreeUnits, freeUnitsOf } from './free-units.ts';
import { Latencies } from './histogram.ts';
import type { CutReport, ViewersReply, ViewersReport, ViewersRequest } from './viewers-protocol.ts';
import { monotonicMs } from './viewers-protocol.ts';
import { openViewer, type ViewerAddress } from './viewers-socket.ts';

/** Concurrent handshakes. */
const handshakesAtOnce = 100;
const readBytes = 256 * 1024;
/** When pages reconnect: `reconnectDelay`, `reconnectMaxDelay` and `reconnectJitter` of their htmx. */
const reconnect = { firstMs: 300, maxMs: 3_000, jitter: 0.3 };

/** Viewers whose connections were cut at one time. */
interface Cut {
  readonly at: number;
  /** A viewer with this number of free units, or less, has the current state. */
  readonly leastFree: number;
  readonly waiting: Set<number>;
  readonly recovery: Latencies;
}

/** The process with the viewers. Its parent controls it through the message channel; it ends with the parent. */
class ViewersProgram {
  /** The socket of each viewer; absent while it is cut. */
  readonly #sockets = new Map<number, Socket>();
  readonly #shared = Buffer.alloc(readBytes);
  #address: ViewerAddress = { host: '', port: 0, path: '' };
  #freeUnits: FindFreeUnits = () => undefined;
  /** The newest state that a viewer has seen. */
  #leastFree = Number.POSITIVE_INFINITY;
  #cut: Cut | undefined;
  #arrivals = new Arrivals(0);
  #freeAtFirst = 0;
  #messages = 0;
  #gone = 0;
  #cpuBefore = process.cpuUsage();
  #recordingSince = 0;

  async answer(request: ViewersRequest): Promise<ViewersReply> {
    switch (request.kind) {
      case 'open':
        return { kind: 'open', ...(await this.#open(request)) };
      case 'record':
        this.#record(request.freeUnits);
        return { kind: 'record' };
      case 'cut':
        return { kind: 'cut', ...(await this.#cutSome(request)) };
      case 'report':
        return { kind: 'report', ...(await this.#report(request)) };
    }
  }

  async #open({ origin, topic, count, packageId }: ViewersRequest & { kind: 'open' }) {
    const { hostname, port } = new URL(origin);
    this.#address = { host: hostname, port: Number(port), path: `/live?topic=${topic}` };
    const failures: string[] = [];
    this.#freeUnits = freeUnitsOf(packageId);
    let next = this.#sockets.size;
    const end = next + count;
    const openSome = async () => {
      while (next < end) {
        const viewer = next++;
        await this.#connect(viewer).catch((error: unknown) => failures.push(String(error)));
      }
    };
    await Promise.all(Array.from({ length: handshakesAtOnce }, openSome));
    return { opened: this.#sockets.size, failures: failures.slice(0, 5) };
  }

  async #connect(viewer: number): Promise<void> {
    const socket = await openViewer(this.#address, this.#shared, {
      text: (bytes, start, end) => this.#see(viewer, bytes, start, end),
      gone: () => {
        if (this.#sockets.has(viewer)) this.#gone++;
      },
    });
    this.#sockets.set(viewer, socket);
  }

  async #cutSome({ count, timeoutMs }: ViewersRequest & { kind: 'cut' }): Promise<CutReport> {
    const all = [...this.#sockets];
    const first = Math.floor(Math.random() * all.length);
    const chosen = Array.from({ length: Math.min(count, all.length) }, (_, index) => {
      return all[(first + index) % all.length] as [number, Socket];
    });
    const at = monotonicMs();
    const cut: Cut = { at, leastFree: this.#leastFree, waiting: new Set(), recovery: new Latencies() };
    this.#cut = cut;
    for (const [viewer, socket] of chosen) {
      cut.waiting.add(viewer);
      this.#sockets.delete(viewer);
      socket.resetAndDestroy();
      void this.#reconnect(viewer, at + timeoutMs);
    }
    while (cut.waiting.size > 0 && monotonicMs() < at + timeoutMs) await pause(5);
    this.#cut = undefined;
    return { recovery: cut.recovery.distribution(), lost: cut.waiting.size };
  }

  /** Tries until it succeeds or the time is over. */
  async #reconnect(viewer: number, until: number): Promise<void> {
    const { firstMs, maxMs, jitter } = reconnect;
    for (let delayMs = firstMs; monotonicMs() < until; delayMs = Math.min(2 * delayMs, maxMs)) {
      await pause(delayMs * (1 + jitter * (2 * Math.random() - 1)));
      const isOpen = await this.#connect(viewer).then(
        () => true,
        () => false,
      );
      if (isOpen) return;
    }
  }

  #see(viewer: number, bytes: Buffer, start: number, end: number): void {
    this.#messages++;
    const free = this.#freeUnits(bytes, start, end);
    if (free === undefined) return;
    const now = monotonicMs();
    this.#arrivals.see(viewer, this.#freeAtFirst - free, now);
    this.#leastFree = Math.min(this.#leastFree, free);
    const cut = this.#cut;
    if (cut !== undefined && free <= cut.leastFree && cut.waiting.delete(viewer))
      cut.recovery.record(now - cut.at);
  }

  #record(freeUnits: number): void {
    this.#freeAtFirst = freeUnits;
    this.#arrivals = new Arrivals(this.#sockets.size);
    this.#messages = 0;
    this.#cpuBefore = process.cpuUsage();
    this.#recordingSince = monotonicMs();
  }

  async #report({ madeAt, timeoutMs }: Extract<ViewersRequest, { kind: 'report' }>): Promise<ViewersReport> {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const cpu = (user + system) / 1000 / (monotonicMs() - this.#recordingSince);
    const until = monotonicMs() + timeoutMs;
    while (this.#arrivals.unseen(madeAt.length) > 0 && monotonicMs() < until) await pause(50);
    const delays = new Latencies();
    for (const delay of this.#arrivals.delays(madeAt)) delays.record(delay);
    return {
      delays: delays.distribution(),
      unseen: this.#arrivals.unseen(madeAt.length),
      messages: this.#messages,
      gone: this.#gone,
      cpu,
    };
  }
}

const program = new ViewersProgram();
process.on('message', (request: ViewersRequest) => {
  void program.answer(request).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
