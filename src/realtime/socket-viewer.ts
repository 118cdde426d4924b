import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Viewer } from './viewer.ts';

const rateWindowMs = 10_000;

/** A WebSocket as a viewer, with what is to be remembered of it: numbers only, for there are thousands. */
export class SocketViewer implements Viewer {
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  onEnd: () => void = () => {};
  #isAlive = true;
  #askedAt: number;
  #windowFrom: number;
  #heard = 0;

  /** @param connection what the socket speaks over. */
  constructor(socket: WebSocket, connection: Duplex, now: number) {
    this.#socket = socket;
    this.#connection = connection;
    this.#askedAt = now;
    this.#windowFrom = now;
  }

  /** Past the library, which would frame it anew for everybody: nothing is compressed, so its frames are whole too. */
  send(frame: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#connection.write(frame);
  }

  bufferedBytes(): number {
    return this.#connection.writableLength;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Notes that something came in; returns how much that makes within ten seconds. */
  hear(now: number): number {
    this.#isAlive = true;
    if (now - this.#windowFrom >= rateWindowMs) {
      this.#windowFrom = now;
      this.#heard = 0;
    }
    return ++this.#heard;
  }

  /** Asks for a sign of life, or cuts who gave none since it was asked last. Returns whether it is time for that. */
  ping(now: number, everyMs: number): boolean {
    if (now - this.#askedAt < everyMs) return false;
    this.#askedAt = now;
    if (this.#isAlive) this.#socket.ping();
    else this.terminate();
    this.#isAlive = false;
    return true;
  }
}
