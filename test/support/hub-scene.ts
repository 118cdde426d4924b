import type { Order } from '../../src/domain/order.ts';
import type { Inventory, PackageSnapshot } from '../../src/domain/travel-package.ts';
import type { BookingEngine, EstimatedWait } from '../../src/engine/engine.ts';
import { silentLog } from '../../src/observability/log.ts';
import type { LiveFormat, Viewer } from '../../src/realtime/fanout.ts';
import { Hub, type HubOptions, type LiveRender } from '../../src/realtime/hub.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import { StoreUnavailableError } from '../../src/storage/store.ts';
import { fakeEngine, fakeOrder, fakeSnapshot, livePackages } from './fake-engine.ts';
import { ManualClock } from './manual-clock.ts';

/** Records every message that it is sent, and can pretend to be slow. */
export class TestViewer implements Viewer {
  readonly received: string[] = [];
  buffered = 0;
  closed: number | undefined;
  isTerminated = false;
  onEnd: () => void = () => {};

  send(frame: Buffer): void {
    const headerBytes = (frame[1] ?? 0) < 126 ? 2 : 4;
    this.received.push(frame.toString('utf8', headerBytes));
  }
  bufferedBytes(): number {
    return this.buffered;
  }
  close(code: number): void {
    this.closed = code;
    this.onEnd();
  }
  terminate(): void {
    this.isTerminated = true;
    this.onEnd();
  }

  /** The fragments that the viewer was sent, without their wrappers. */
  get shown(): string[] {
    return this.received
      .filter((text) => text.startsWith('<hx-partial'))
      .map((text) => text.replace(/<hx-partial[^>]*>/g, '').replaceAll('</hx-partial>', ';'));
  }
  get times(): string[] {
    return this.received.filter((text) => text.startsWith('{"now":'));
  }
}

/** The clock of all scenes. */
export const clock = new ManualClock();

/** A hub over an engine whose packages and orders a test can change without telling the bus. */
export class HubScene {
  readonly bus = localLiveBus();
  readonly packages = new Map<number, PackageSnapshot>();
  readonly orders = new Map<string, Order>();
  readonly positions = new Map<string, number>();
  /** The estimated waits by position, in every queue. */
  readonly waits = new Map<number, EstimatedWait>();
  readonly reads: string[] = [];
  rendered = 0;
  isStoreDown = false;
  readonly engine: BookingEngine;
  readonly makeHub: () => Hub;
  readonly hub: Hub;

  constructor(options: Partial<HubOptions> = {}) {
    this.set(1, { remaining: 1 });
    this.set(2, { remaining: 2 });
    this.engine = fakeEngine({
      ...livePackages(this.bus, clock, async () => {
        this.#read('packages');
        return [...this.packages.values()];
      }),
      order: async (id) => {
        this.#read(id);
        return this.orders.get(id);
      },
      queuePosition: ({ id }) => this.positions.get(id),
      estimatedWait: (_packageId, position) => this.waits.get(position),
    });
    const inFormat = (format: LiveFormat, text: string) => (format === 'en' ? text : `${format} ${text}`);
    const render: LiveRender = {
      package: ({ package: { id, archived }, inventory: { remaining, held } }, format) => {
        this.rendered++;
        const state = archived === true ? 'archived' : `${remaining} free, ${held} held`;
        return { rootId: `stay-${id}`, text: inFormat(format, `${id}: ${state}`) };
      },
      order: (
        { order: { id, status }, queuePosition, estimatedWait: wait, inProgress, offer = 'open' },
        format,
      ) => {
        this.rendered++;
        const words = [id, status, queuePosition ?? '-', inProgress, ...(offer === 'open' ? [] : [offer])];
        const waits = wait === undefined ? [] : [`${wait.minSeconds}-${wait.maxSeconds} s`];
        return { rootId: 'order-live', text: inFormat(format, [...words, ...waits].join(' ')) };
      },
    };
    const deps = { engine: this.engine, liveBus: this.bus, clock, log: silentLog };
    this.makeHub = () => new Hub(deps, render, options);
    this.hub = this.makeHub();
    scenes.push(this);
  }

  #read(what: string): void {
    this.reads.push(what);
    if (this.isStoreDown) throw new StoreUnavailableError('down');
  }

  /** Changes a package in the store. */
  set(
    id: number,
    inventory: Partial<Inventory>,
    sale: Partial<PackageSnapshot['package']> = {},
  ): PackageSnapshot {
    const before = this.packages.get(id) ?? fakeSnapshot({ id });
    const snapshot = {
      package: { ...before.package, ...sale },
      inventory: { ...before.inventory, ...inventory },
    };
    this.packages.set(id, snapshot);
    return snapshot;
  }

  /** Changes a package in the store and publishes it. */
  publish(id: number, inventory: Partial<Inventory>): void {
    this.bus.publishPackage(this.set(id, inventory));
  }

  /** Changes an order in the store. */
  setOrder(overrides: Partial<Order>): Order {
    const order = fakeOrder(overrides);
    this.orders.set(order.id, order);
    return order;
  }

  watchPackages(viewer = new TestViewer(), format: LiveFormat = 'en'): TestViewer {
    viewer.onEnd = this.hub.subscribe({ kind: 'packages', format }, viewer);
    return viewer;
  }

  watchOrder(orderId: string, viewer = new TestViewer(), format: LiveFormat = 'en'): TestViewer {
    viewer.onEnd = this.hub.subscribe({ kind: 'order', orderId, format }, viewer);
    return viewer;
  }
}

const scenes: HubScene[] = [];

/** Stops the hubs of all scenes. */
export async function stopScenes(): Promise<void> {
  const stopped = Promise.all(scenes.splice(0).map(({ hub }) => hub.stop()));
  await clock.advance(5000);
  await stopped;
}

/** Lets one tick pass. */
export const tick = () => clock.advance(50);
