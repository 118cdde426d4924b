import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Arrivals } from './arrivals.ts';
import { type FindFreeUnits, freeUnitsOf } from './free-units.ts';
import { Latencies } from './histogram.ts';
import type { ViewersReply, ViewersReport, ViewersRequest } from './viewers-protocol.ts';
import { monotonicMs } from './viewers-protocol.ts';
import { openViewer } from './viewers-socket.ts';

/** Concurrent handshakes. */
const handshakesAtOnce = 100;
const readBytes = 256 * 1024;

/** The process with the viewers. Its parent controls it through the message channel; it ends with the parent. */
class ViewersProgram {
  readonly #sockets: Socket[] = [];
  readonly #shared = Buffer.alloc(readBytes);
  #freeUnits: FindFreeUnits = () => undefined;
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
      case 'report':
        return { kind: 'report', ...(await this.#report(request)) };
    }
  }

  async #open({ origin, topic, count, packageId }: ViewersRequest & { kind: 'open' }) {
    const { hostname, port } = new URL(origin);
    const address = { host: hostname, port: Number(port), path: `/live?topic=${topic}` };
    const failures: string[] = [];
    this.#freeUnits = freeUnitsOf(packageId);
    let next = this.#sockets.length;
    const end = next + count;
    const openSome = async () => {
      while (next < end) {
        const viewer = next++;
        const events = {
          text: (bytes: Buffer, start: number, stop: number) => this.#see(viewer, bytes, start, stop),
          gone: () => void this.#gone++,
        };
        try {
          this.#sockets.push(await openViewer(address, this.#shared, events));
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    await Promise.all(Array.from({ length: handshakesAtOnce }, openSome));
    return { opened: this.#sockets.length, failures: failures.slice(0, 5) };
  }

  #see(viewer: number, bytes: Buffer, start: number, end: number): void {
    this.#messages++;
    const free = this.#freeUnits(bytes, start, end);
    if (free !== undefined) this.#arrivals.see(viewer, this.#freeAtFirst - free, monotonicMs());
  }

  #record(freeUnits: number): void {
    this.#freeAtFirst = freeUnits;
    this.#arrivals = new Arrivals(this.#sockets.length);
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
      delays: delays.percentiles(),
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
