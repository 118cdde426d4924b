import type { Server, ServerResponse } from 'node:http';

/**
 * Prepares a server, before it listens, to stop without cutting anybody off. The function returned stops it: nothing
 * new is accepted, every answer from then on ends its connection, and the promise resolves when the last one is out.
 */
export function gracefulStop(server: Server): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  let isStopping = false;
  server.prependListener('request', (_request, response) => {
    response.shouldKeepAlive &&= !isStopping;
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
  });
  return () =>
    new Promise((resolve) => {
      isStopping = true;
      server.close(() => resolve());
      for (const response of underWay) response.shouldKeepAlive = false;
    });
}
