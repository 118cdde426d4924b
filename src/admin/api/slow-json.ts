import { jsonHeaders, sendJson } from '../../http/json.ts';
import type { Clock } from '../../lib/clock.ts';
import { settlesWithin } from '../../lib/deadline.ts';

/** A proxy may close a response that sends nothing for longer than this. */
const silenceMaxMs = 5_000;

/**
 * Sends a value that may take minutes. After five seconds the response begins with blanks, which JSON allows, so that
 * no proxy closes it. An error in the first five seconds sets the status. A later error cuts the response off.
 */
export async function sendSlowJson(value: Promise<object>, clock: Clock): Promise<Response> {
  if (await settlesWithin(silenceMaxMs, value, clock)) return sendJson(200, await value);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const isSettled = await settlesWithin(silenceMaxMs, value, clock);
      if (!isSettled) return controller.enqueue(encoder.encode(' '));
      controller.enqueue(encoder.encode(JSON.stringify(await value)));
      controller.close();
    },
  });
  return new Response(body, { status: 200, headers: jsonHeaders({}) });
}
