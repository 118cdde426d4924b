import { icon } from './icons.ts';
import { type PageSetting, page } from './layout.ts';
import { type Html, markup } from './markup.ts';

/** Shown while it is not known what became of a purchase; it asks again by itself. */
export function lookingPage(setting: PageSetting, refreshS: number): Html {
  return page(setting, {
    title: 'Looking for your order…',
    refreshS,
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-waiting" role="status">
          <p class="verdict-icon">${icon('clock')}</p>
          <h1 class="headline">Looking for your order…</h1>
          <p class="verdict-text">We have not stored it yet. This page asks again by itself.</p>
          <div class="actions"><a class="button quiet" href="/query">My orders</a></div>
        </section>
      </div>`,
  });
}

/** For browsers without scripts: the server cannot tell a form that was lost from one that was never sent. */
export function nothingSentNote(): Html {
  return markup`
    <noscript><p class="sent-note">If you sent an order and saw no answer: it has not reached us, and nothing was booked.
      You can send it again.</p></noscript>`;
}
