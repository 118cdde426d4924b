import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { onStopSignals } from './stop-signal.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('counts signals within half a second as one, because npm repeats a Ctrl-C', () => {
  const source = new EventEmitter();
  const heard: string[] = [];
  onStopSignals((signal) => heard.push(signal), { again: () => heard.push('again'), source });
  source.emit('SIGINT');
  vi.advanceTimersByTime(50);
  source.emit('SIGINT');
  expect(heard).toEqual(['SIGINT']);
  vi.advanceTimersByTime(500);
  source.emit('SIGTERM');
  expect(heard).toEqual(['SIGINT', 'again']);
});

it('listens only to the given signals', () => {
  const source = new EventEmitter();
  onStopSignals(() => {}, { signals: ['SIGTERM'], source });
  expect(source.eventNames()).toEqual(['SIGTERM']);
});
