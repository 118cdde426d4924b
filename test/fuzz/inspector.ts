const timeoutMs = 30_000;

/**
 * Runs a full garbage collection in a process with `--inspect`.
 * @throws Error when the inspector does not answer.
 */
export async function collectGarbage(inspectorUrl: string): Promise<void> {
  await call(inspectorUrl, 'HeapProfiler.collectGarbage');
}

/** Bytes used by JavaScript objects in the process. */
export async function heapUsed(inspectorUrl: string): Promise<number> {
  const { usedSize } = (await call(inspectorUrl, 'Runtime.getHeapUsage')) as { usedSize: number };
  return usedSize;
}

/** Sends one command of the Chrome DevTools Protocol in a session of its own, which leaves no setting behind. */
function call(url: string, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const late = setTimeout(() => end(new Error(`${method} was not answered`)), timeoutMs);
    const end = (error: Error | undefined, result?: unknown) => {
      clearTimeout(late);
      socket.close();
      if (error === undefined) resolve(result);
      else reject(error);
    };
    socket.addEventListener('open', () => socket.send(JSON.stringify({ id: 1, method })));
    socket.addEventListener('error', () => end(new Error('the inspector does not answer')));
    socket.addEventListener('message', ({ data }) => {
      const { id, result, error } = JSON.parse(String(data));
      if (id === 1) end(error && new Error(`${method}: ${error.message}`), result);
    });
  });
}
