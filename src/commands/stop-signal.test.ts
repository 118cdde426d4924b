import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { onStopSignals } from './stop-signal.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('takes Ctrl-C from the terminal and from npm for one, and a later signal for impatience', () => {
  const source = new EventEmitter();
  const heard: string[] = [];
  onStopSignals(
    (signal) => heard.push(signal),
    () => heard.push('again'),
    source,
  );
  source.emit('SIGINT');
  vi.advanceTimersByTime(50);
  source.emit('SIGINT');
  expect(heard).toEqual(['SIGINT']);
  vi.advanceTimersByTime(500);
  source.emit('SIGTERM');
  expect(heard).toEqual(['SIGINT', 'again']);
});
