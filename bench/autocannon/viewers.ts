import { once } from 'node:events';

export interface Viewers {
  /** Closes the sockets. */
  close(): Promise<Views>;
}

export interface Views {
  /** Messages that all sockets have got. */
  readonly messages: number;
  /** Sockets that could not open, got no message, or were closed by the server. */
  readonly failures: number;
}

/** Opens sockets that watch a package, at all instances in turn. Waits until each is open or has failed. */
export async function openViewers(
  origins: readonly string[],
  packageId: number,
  count: number,
): Promise<Viewers> {
  const messages = Array<number>(count).fill(0);
  const sockets = messages.map((_, nth) => {
    const origin = (origins[nth % origins.length] as string).replace(/^http/, 'ws');
    const socket = new WebSocket(`${origin}/live?topic=package:${packageId}&format=json`);
    socket.addEventListener('message', () => {
      messages[nth] = (messages[nth] ?? 0) + 1;
    });
    return socket;
  });
  await Promise.all(
    sockets.map((socket) => Promise.race([once(socket, 'open'), once(socket, 'close')]).catch(() => {})),
  );
  return {
    async close() {
      const failures = sockets.filter(
        ({ readyState }, nth) => readyState !== WebSocket.OPEN || messages[nth] === 0,
      ).length;
      await Promise.all(
        sockets.map((socket) => {
          if (socket.readyState === WebSocket.CLOSED) return undefined;
          const closed = once(socket, 'close');
          socket.close();
          return closed;
        }),
      );
      return { messages: messages.reduce((sum, each) => sum + each, 0), failures };
    },
  };
}
