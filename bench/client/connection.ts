import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Hears of what a connection gets. */
export interface Listener {
  /** It can send. */
  opened(connection: Connection): void;
  /** The body is only there while this is called. */
  answered(connection: Connection, status: number, body: Buffer): void;
  /** It is over: the server has closed it, or it could not be opened, or its answer could not be read. */
  closed(connection: Connection, reason: string): void;
}

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

/**
 * One keep-alive connection of HTTP/1.1 (RFC 9112) with one request under way. It is no library's because the client
 * shares a machine with what it measures: 13 µs of CPU per purchase, where undici's `dispatch` takes 21 µs and has
 * nearly filled its core at the rate of a hello-world server.
 */
export class Connection {
  /** Of the origins of a load, the one that it is to. */
  readonly originIndex: number;
  /** When its request under way was meant to be sent, as `performance.now()` has it; NaN: there is none. */
  since = Number.NaN;
  /** The server closes it after this answer. */
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

  /** A whole request; its answer must have come before the next one. */
  send(request: string): void {
    this.#socket.write(request, 'latin1');
  }

  /** Tells nobody. */
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
    // In lower case, as the names of fields may come in any.
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

/** Undefined until all of it is there. */
function bodyOf(head: string, bytes: Buffer, start: number): Buffer | 'unreadable' | undefined {
  const at = head.indexOf('\r\ncontent-length:');
  if (at >= 0) {
    const length = Number.parseInt(head.slice(at + 17, at + 30), 10);
    if (Number.isNaN(length) || bytes.length > start + length) return 'unreadable';
    return bytes.length < start + length ? undefined : bytes.subarray(start, start + length);
  }
  if (head.includes('\r\ntransfer-encoding: chunked')) return unchunked(bytes, start);
  // Without a body, like 204 and 304.
  return bytes.length === start ? nothing : 'unreadable';
}

/** RFC 9112, section 7.1; trailers are not expected. */
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
