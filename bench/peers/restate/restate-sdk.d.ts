/**
 * The parts of `@restatedev/restate-sdk` that we use. This folder's packages are installed only when the scenario runs,
 * and the type check works without them.
 */
declare module '@restatedev/restate-sdk' {
  import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

  export interface RunOptions {
    readonly maxRetryAttempts?: number;
  }
  export interface ObjectContext {
    readonly rand: { uuidv4(): string };
    run<T>(name: string, action: () => T | Promise<T>, options?: RunOptions): Promise<T>;
    get<T>(name: string): Promise<T | null>;
    set<T>(name: string, value: T): void;
  }
  export interface HandlerOptions {
    /** In ms. */
    readonly journalRetention?: number;
    /** In ms. */
    readonly idempotencyRetention?: number;
  }
  export function object(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, (context: ObjectContext, input: never) => Promise<unknown>>>;
    readonly options?: HandlerOptions;
  }): { readonly name: string };
  export class TerminalError extends Error {
    constructor(message: string, options?: { readonly errorCode?: number });
  }
  export function createEndpointHandler(options: {
    readonly services: readonly { readonly name: string }[];
  }): (request: Http2ServerRequest, response: Http2ServerResponse) => void;
}
