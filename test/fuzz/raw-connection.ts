import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { resetSocket } from '../support/reset-socket.ts';
import type { RawInput } from './raw-input.ts';

/** A server that sends nothing for this time has finished its answers. */
const silenceMs = 250;
const quietMs = 15;
/** How long a connection may stay open after we have ended it. */
const endMs = 15_000;

/** The result of an input. */
export interface RawOutcome {
  readonly answer: Buffer;
  /** Whether the connection stayed open after we ended it. */
  readonly hangs: boolean;
}

/** Sends an input over a new connection, and reads until the server closes it. */
export async function sendRaw(
  port: number,
  { writes, waitsForAnswer, ending }: RawInput,
): Promise<RawOutcome> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let heardAt = 0;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    heardAt = performance.now();
  });
  // Both sides may close the connection in the middle.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const isOpen = await Promise.race([once(socket, 'connect').then(() => true), closed.then(() => false)]);
  if (isOpen) {
    for (const [index, bytes] of writes.entries()) {
      if (socket.destroyed) break;
      socket.write(bytes);
      if (index === 0 && waitsForAnswer) await quiet(socket, () => heardAt);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === 'reset') resetSocket(socket);
    else {
      if (ending === 'polite') await quiet(socket, () => heardAt);
      socket.end();
    }
  }
  const hangs = await endsWithin(socket, closed);
  return { answer: Buffer.concat(chunks), hangs };
}

/** Waits until the server has sent nothing for a while or has closed the connection. */
async function quiet(socket: Socket, heardAt: () => number): Promise<void> {
  const since = performance.now();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, quietMs / 3));
    if (socket.destroyed || socket.readableEnded) return;
    const now = performance.now();
    if (heardAt() > since ? now - heardAt() >= quietMs : now - since >= silenceMs) return;
  }
}

async function endsWithin(socket: Socket, closed: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, endMs, true);
  });
  const hangs = (await Promise.race([closed, late])) === true;
  clearTimeout(timer);
  socket.destroy();
  return hangs;
}
