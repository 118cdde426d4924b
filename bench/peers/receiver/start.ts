import { startNodeProcess } from '../../../test/support/node-process.ts';

/** A receiver of webhooks in a process of its own. */
export interface WebhookReceiver {
  readonly url: string;
  /** The number of events that it has taken so far. */
  taken(): Promise<number>;
  end(): Promise<void>;
}

const endMs = 5_000;

/** @param under the command that runs the process, such as `['taskset', '-c', '1']`; may be empty. */
export async function startReceiver(under: readonly string[] = []): Promise<WebhookReceiver> {
  const receiver = await startNodeProcess({
    program: 'bench/peers/receiver/program.ts',
    tracer: under,
    ready: /listens on (?<url>http:\S+)/,
    detached: true,
  });
  const url = receiver.match.groups?.url as string;
  return {
    url,
    async taken() {
      const { taken } = (await (await fetch(url)).json()) as { readonly taken: number };
      return taken;
    },
    async end() {
      await receiver.end('SIGTERM', endMs);
    },
  };
}
