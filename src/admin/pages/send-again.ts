import type { Context } from 'hono';
import { z } from 'zod';
import { readForm } from '../../http/body.ts';
import { markup } from '../../http/pages/markup.ts';
import { type AdminDeps, showRefused } from './context.ts';

/**
 * A form that came while the store was away, to be sent again as it was: going back in the browser would show it
 * empty. Repeating any of them is harmless: a change goes by the version that was read.
 */
export async function showSendAgain(c: Context, deps: AdminDeps): Promise<Response> {
  const fields = await fieldsOf(c);
  return showRefused(c, deps, 'store_unavailable', {
    title: 'The store does not answer',
    main: markup`
      <h1>That did not work yet</h1>
      <p>Your entries are kept on this page. Send them again when the store answers.</p>
      <div class="confirm-actions">
        <form method="post" action="${new URL(c.req.url).pathname}">
          ${Object.entries(fields).map(
            ([name, value]) =>
              markup`<input type="hidden" name="${name}" value="${value}" autocomplete="off">`,
          )}
          <button class="button primary" type="submit" data-busy="One moment…"><span class="button-label">Send it again</span></button>
        </form>
        <a class="button quiet" href="/admin">Back to the overview</a>
      </div>`,
  });
}

/** Empty where the form cannot be read: some have no fields at all. */
async function fieldsOf(c: Context): Promise<Readonly<Record<string, string>>> {
  try {
    return (await readForm(c, z.object({}))).fields;
  } catch {
    return {};
  }
}
