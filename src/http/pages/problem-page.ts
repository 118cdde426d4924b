import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { firstSentence, formatWait } from './format.ts';
import { icon } from './icons.ts';
import { page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';

/**
 * Any error that has no page of its own, in words.
 * @param retryAfterS where waiting helps. Then nothing has failed: the page may even be that of an order which was taken
 * a moment ago.
 */
export function problemPage(setting: RenderContext, code: ErrorCode, retryAfterS?: number): Html {
  const { words, retry } = errorKind(code);
  const failed = retryAfterS === undefined ? 'That did not work' : 'Please wait a moment';
  const headline = code === 'unknown_route' ? 'Page not found' : failed;
  return page(setting, {
    title: headline,
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral" role="alert">
          <p class="verdict-icon">${icon('alert')}</p>
          <h1 class="headline">${headline}</h1>
          <p class="verdict-text">${retryAfterS === undefined ? words : firstSentence(words)}</p>
          ${retryAfterS === undefined ? '' : againAdvice(retryAfterS)}
          <div class="actions">
            <a class="button primary" href="/order">${retry === 'no' ? 'See the trips' : 'Back to the trips'}</a>
            <a class="button quiet" href="/query">My orders</a>
          </div>
        </section>
      </div>`,
  });
}

/** What a browser sends again by itself, without JavaScript too: its form with the same key. */
function againAdvice(retryAfterS: number): Html {
  return markup`
    <p class="verdict-text">Reload this page in ${formatWait(retryAfterS)}. If you have sent an order, it counts only once.</p>`;
}

/** The one answer for an order that does not exist, and for one that this browser may not see (rule Q10). */
export function missPage(setting: RenderContext): Html {
  return page(setting, {
    title: 'Order not found',
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral">
          <p class="verdict-icon">${icon('ticket')}</p>
          <h1 class="headline">We cannot show this order here</h1>
          <p class="verdict-text">Look it up with its order number and the email that you ordered with.</p>
          <div class="actions"><a class="button primary" href="/query">Look up an order</a></div>
        </section>
      </div>`,
  });
}
