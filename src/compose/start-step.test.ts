import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../storage/store.ts';
import { startStep } from './start-step.ts';

it('a start step settles like its work', async () => {
  expect(await startStep('opening the store', Promise.resolve(1))).toBe(1);
  await expect(startStep('opening the store', Promise.reject(new Error('no disk')))).rejects.toThrow(
    /^no disk$/,
  );
});

it('a start step that exceeds its timeout fails with its name, and its later result is released', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late = vi.fn();
  const step = startStep('opening the store', promise, { timeoutMs: 20, late });
  await expect(step).rejects.toThrow(/^opening the store took longer than 0\.02 s$/);
  expect(late).not.toHaveBeenCalled();
  resolve('a store');
  await vi.waitFor(() => expect(late).toHaveBeenCalledExactlyOnceWith('a store'));
});

it('a start step fails with the error that its caller creates', async () => {
  const error = (message: string) => new StoreUnavailableError(message);
  const step = startStep('opening the store', pause(60_000, undefined, { ref: false }), {
    timeoutMs: 1,
    error,
  });
  await expect(step).rejects.toBeInstanceOf(StoreUnavailableError);
});
