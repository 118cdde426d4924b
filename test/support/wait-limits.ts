import { vi } from 'vitest';

/*
 * Tests wait for conditions, and a limit only ends a wait whose condition never comes. Vitest's own limit of 1 s fits
 * `expect.poll`, which vitest.config.ts configures, and these two, which have no configuration. On a busy machine a
 * single request may take that long.
 */

const timeout = 20_000;
const { waitFor, waitUntil } = vi;
type Options = Parameters<typeof waitFor>[1];

const limited = (options: Options) => (typeof options === 'number' ? options : { timeout, ...options });

vi.waitFor = (callback, options) => waitFor(callback, limited(options));
vi.waitUntil = (callback, options) => waitUntil(callback, limited(options));
