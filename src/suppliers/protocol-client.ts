import { type AbortState, abortSignalOf } from '../lib/abort.ts';
import { defined } from '../lib/defined.ts';
import type { Tracing } from '../observability/tracing.ts';
import { causeOf, read, type SupplierReply } from './http-protocol.ts';

/** A server that speaks the supplier protocol or the payment protocol. */
export interface ProtocolServer {
  /** The base URL of the protocol, for example `http://127.0.0.1:8890/api/suppliers`. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly tracing?: Tracing;
}

const answerBytesMax = 64 * 1024;

/** Sends one request, and reads the whole answer. @throws Error that names the request, but repeats no body. */
export type Ask = (
  path: string,
  init: RequestInit,
  state: AbortState | undefined,
  bytesMax?: number,
) => Promise<SupplierReply>;

/**
 * Sends requests to one server over persistent connections. Emails are sent in bodies only.
 * @throws TypeError if the URL is invalid.
 */
export function protocolClient({ url, token, tracing }: ProtocolServer): Ask {
  const base = new URL(`${url.replace(/\/+$/, '')}/`);
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  return async (path, init, state, bytesMax = answerBytesMax) => {
    const traceparent = tracing?.current();
    const headers = {
      accept: 'application/json',
      ...authorization,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...init.headers,
    };
    try {
      // A redirect would send the email to a server that nobody has configured.
      const signal = state && abortSignalOf(state);
      const response = await fetch(new URL(path, base), {
        ...{ ...init, headers, redirect: 'error' },
        ...defined({ signal }),
      });
      return await read(response, bytesMax);
    } catch (error) {
      throw new Error(`${init.method} ${path.split(/[/?]/, 1)[0]}: ${causeOf(error)}`, { cause: error });
    }
  };
}
