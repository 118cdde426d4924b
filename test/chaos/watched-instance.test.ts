import { expect, it } from 'vitest';
import type { ClusterInstance } from '../support/cluster.ts';
import { WatchedInstance } from './watched-instance.ts';

/** An instance without a process. */
class FakeInstance {
  readonly id = 'instance-1';
  starts = 1;
  isRunning = true;
  exitCode: number | null = 0;
  ended: Promise<number | null>;
  #end: (code: number | null) => void = () => {};

  constructor() {
    this.ended = this.#live();
  }

  #live(): Promise<number | null> {
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  die(code: number | null): void {
    this.isRunning = false;
    this.#end(code);
  }

  async kill(): Promise<void> {
    this.die(null);
  }

  async terminate(): Promise<number | null> {
    this.die(this.exitCode);
    return this.exitCode;
  }

  async restart(): Promise<void> {
    this.starts += 1;
    this.isRunning = true;
    this.ended = this.#live();
  }

  log(): string {
    return 'its last words';
  }
}

function watch() {
  const fake = new FakeInstance();
  const violations: string[] = [];
  const watched = new WatchedInstance(fake as unknown as ClusterInstance, (rule, words) =>
    violations.push(`${rule}: ${words}`),
  );
  return { fake, watched, violations };
}

it('reports an instance that ended by itself, with its last output, and restarts it', async () => {
  const { fake, violations } = watch();
  fake.die(1);
  await expect.poll(() => fake.starts).toBe(2);
  expect(violations).toEqual(['no crash: instance-1 ended by itself with exit code 1: its last words']);
});

it('does not report intended ends, and keeps watching after a restart', async () => {
  const { fake, watched, violations } = watch();
  await watched.kill();
  await watched.restart();
  await watched.terminate();
  await watched.restart();
  expect([fake.starts, violations]).toEqual([3, []]);
  fake.die(7);
  await expect.poll(() => violations).toHaveLength(1);
});

it('reports a SIGTERM that does not end with exit code 0', async () => {
  const { fake, watched, violations } = watch();
  fake.exitCode = null;
  await watched.terminate();
  expect(violations).toEqual([expect.stringMatching(/^drain: instance-1 had to be killed/)]);
});

it('allows one fault at a time', async () => {
  const { watched } = watch();
  const order: string[] = [];
  await watched.take();
  const second = watched.take().then(() => order.push('second'));
  order.push('first');
  watched.release();
  await second;
  expect(order).toEqual(['first', 'second']);
});
