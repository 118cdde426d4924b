import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Receives the events of a connection. */
export interface Listener {
  /** The connection is open and can send. */
  opened(connection: Connection): void;
  /** `body` is valid only during the call. */
  answered(connection: Connection, status: number, body: Buffer): void;
  /** The connection has ended: closed by the server, failed to open, or an invalid answer. */
  closed(connection: Connection, reason: string): void;
}

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

/**
 * A keep-alive connection of HTTP/1.1 (RFC 9112) with one request at a time. It is hand-written because the client
 * shares the machine with the measured server: it uses 13 µs of CPU per purchase, undici's `dispatch` 21 µs, which
 * nearly fills a core at the rate of a hello-world server.
 */
export class Connection {
  /** The index of its origin in the load's origins. */
  readonly originIndex: number;
  /** When the current request was scheduled, by `performance.now()`; NaN without one. */
  since = Number.NaN;
  /** The server closes the connection after this answer. */
  isClosing = false;
  wasOpened = false;
  readonly #socket: Socket;
  readonly #listener: Listener;
  #held: Buffer = nothing;
  #isClosed = false;

  constructor(origin: URL, originIndex: number, listener: Listener) {
    this.originIndex = originIndex;
    this.#listener = listener;
    this.#socket = open(origin)
      .once(origin.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        this.wasOpened = true;
        listener.opened(this);
      })
      .on('data', (chunk: Buffer) => this.#read(chunk))
      .on('error', (error: NodeJS.ErrnoException) => this.#close(error.code ?? error.message))
      .on('close', () => this.#close('closed'));
  }

  /** Sends a complete request. The answer to the last one must have arrived. */
  send(request: string): void {
    this.#socket.write(request, 'latin1');
  }

  /** Closes the connection without an event. */
  end(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#listener.closed(this, reason);
  }

  #read(chunk: Buffer): void {
    if (this.#isClosed) return;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const headLength = bytes.indexOf(headEnd);
    if (headLength < 0) {
      this.#held = bytes;
      return;
    }
    // Field names are case-insensitive.
    const head = bytes.toString('latin1', 0, headLength).toLowerCase();
    const body = bodyOf(head, bytes, headLength + headEnd.length);
    if (body === undefined) {
      this.#held = bytes;
      return;
    }
    if (body === 'unreadable') return this.#close('unreadable answer');
    this.#held = nothing;
    this.isClosing = head.includes('\r\nconnection: close');
    this.#listener.answered(this, Number(head.slice(9, 12)), body);
    if (this.isClosing) this.#close('closed');
  }
}

function open({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:') return connect({ host, port: Number(port || 80), noDelay: true });
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port: Number(port || 443), ...name }).setNoDelay(true);
}

/** @returns undefined until the whole body has arrived. */
function bodyOf(head: string, bytes: Buffer, start: number): Buffer | 'unreadable' | undefined {
  const at = head.indexOf('\r\ncontent-length:');
  if (at >= 0) {
    const length = Number.parseInt(head.slice(at + 17, at + 30), 10);
    if (Number.isNaN(length) || bytes.length > start + length) return 'unreadable';
    return bytes.length < start + length ? undefined : bytes.subarray(start, start + length);
  }
  if (head.includes('\r\ntransfer-encoding: chunked')) return unchunked(bytes, start);
  // Answers without a body, such as 204 and 304.
  return bytes.length === start ? nothing : 'unreadable';
}

/** Decodes chunks (RFC 9112, section 7.1); trailers are not supported. */
function unchunked(bytes: Buffer, start: number): Buffer | 'unreadable' | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) return 'unreadable';
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
