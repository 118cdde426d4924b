import { describe, expect, it, vi } from 'vitest';
import { Abort, type AbortState, abortSignalOf } from './abort.ts';

const makers: [string, () => { readonly state: AbortState; abort(reason?: unknown): void }][] = [
  [
    'Abort',
    () => {
      const state = new Abort();
      return { state, abort: (reason) => state.abort(reason) };
    },
  ],
  [
    'AbortController',
    () => {
      const controller = new AbortController();
      return { state: controller.signal, abort: (reason) => controller.abort(reason) };
    },
  ],
  [
    'the signal of an Abort',
    () => {
      const state = new Abort();
      return { state: abortSignalOf(state), abort: (reason) => state.abort(reason) };
    },
  ],
];

describe.each(makers)('%s', (_name, make) => {
  it('tells each listener once, in order, when it aborts', () => {
    const { state, abort } = make();
    const heard: string[] = [];
    const first = () => heard.push(`first ${state.aborted} ${state.reason}`);
    state.addEventListener('abort', first, { once: true });
    state.addEventListener('abort', first, { once: true });
    state.addEventListener('abort', () => heard.push('second'));
    state.throwIfAborted();
    expect(state.aborted).toBe(false);
    abort('drained');
    abort('again');
    expect(heard).toEqual(['first true drained', 'second']);
    expect(state.reason).toBe('drained');
    expect(() => state.throwIfAborted()).toThrow('drained');
  });

  it('does not tell a listener that was removed, also by an earlier listener, or added too late', () => {
    const { state, abort } = make();
    const removed = vi.fn();
    const removedLate = vi.fn();
    state.addEventListener('abort', removed);
    state.removeEventListener('abort', removed);
    state.addEventListener('abort', () => state.removeEventListener('abort', removedLate));
    state.addEventListener('abort', removedLate);
    abort();
    state.addEventListener('abort', removed);
    abort();
    expect(removed).not.toHaveBeenCalled();
    expect(removedLate).not.toHaveBeenCalled();
  });

  it('has an AbortError as its reason if none is given', () => {
    const { state, abort } = make();
    abort();
    expect(state.reason).toMatchObject({ name: 'AbortError' });
  });
});

it('a signal for the platform has aborted if its state has, and a real signal stays the same', () => {
  const state = new Abort();
  state.abort('drained');
  expect(abortSignalOf(state)).toMatchObject({ aborted: true, reason: 'drained' });
  const { signal } = new AbortController();
  expect(abortSignalOf(signal)).toBe(signal);
});
