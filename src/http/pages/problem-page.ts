import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { icon } from './icons.ts';
import { type PageSetting, page } from './layout.ts';
import { type Html, markup } from './markup.ts';

/** Any error that has no page of its own, in words. */
export function problemPage(setting: PageSetting, code: ErrorCode): Html {
  const { words, retry } = errorKind(code);
  return page(setting, {
    title: 'That did not work',
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral" role="alert">
          <p class="verdict-icon">${icon('alert')}</p>
          <h1 class="headline">${code === 'unknown_route' ? 'Nothing here' : 'That did not work'}</h1>
          <p class="verdict-text">${words}</p>
          <div class="actions">
            <a class="button primary" href="/order">${retry === 'no' ? 'See the trips' : 'Back to the trips'}</a>
            <a class="button quiet" href="/query">My orders</a>
          </div>
        </section>
      </div>`,
  });
}

/** The one answer for an order that does not exist, and for one that this browser may not see (rule Q10). */
export function missPage(setting: PageSetting): Html {
  return page(setting, {
    title: 'Order not found',
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-neutral">
          <p class="verdict-icon">${icon('ticket')}</p>
          <h1 class="headline">We cannot show this order here</h1>
          <p class="verdict-text">Look it up with its number and your email.</p>
          <div class="actions"><a class="button primary" href="/query">Look up an order</a></div>
        </section>
      </div>`,
  });
}
