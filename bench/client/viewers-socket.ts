import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { FrameReader, pong } from './frames.ts';

export interface ViewerAddress {
  readonly host: string;
  readonly port: number;
  /** For example `/live?topic=packages`. */
  readonly path: string;
}

export interface ViewerEvents {
  /** A text message; the bytes are valid only during the call. */
  text(bytes: Buffer, start: number, end: number): void;
  /** The socket was open and has closed. */
  gone(): void;
}

const endOfHead = '\r\n\r\n';
const openMsMax = 20_000;

/**
 * Opens one WebSocket. It is hand-written so that all sockets of a process share one read buffer and messages allocate
 * nothing: otherwise 10,000 of them would measure the client.
 * @throws Error when the server refuses, disconnects, or does not answer within 20 s.
 */
export function openViewer(address: ViewerAddress, shared: Buffer, events: ViewerEvents): Promise<Socket> {
  const { host, port, path } = address;
  return new Promise((resolve, reject) => {
    const frames = new FrameReader();
    let head = '';
    let isOpen = false;
    const listener = {
      text: events.text,
      ping: (payload: Buffer) => void socket.write(pong(payload)),
      close: () => void socket.destroy(),
    };
    const fail = (error: Error) => {
      reject(error);
      socket.destroy();
    };
    const read = (length: number, bytes: Buffer): boolean => {
      if (isOpen) frames.read(bytes, length, listener);
      else {
        head += bytes.toString('latin1', 0, length);
        const end = head.indexOf(endOfHead);
        if (end >= 0) open(Buffer.from(head.slice(end + endOfHead.length), 'latin1'));
      }
      return true;
    };
    const open = (rest: Buffer) => {
      if (!head.startsWith('HTTP/1.1 101 ')) return fail(new Error(head.slice(0, head.indexOf('\r'))));
      isOpen = true;
      head = '';
      socket.setTimeout(0);
      resolve(socket);
      frames.read(rest, rest.length, listener);
    };
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: shared, callback: (length) => read(length, shared) },
    });
    socket.setTimeout(openMsMax, () => fail(new Error('no answer')));
    socket.on('error', fail);
    socket.on('close', () => (isOpen ? events.gone() : fail(new Error('hung up'))));
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}${endOfHead}`,
    );
  });
}
