import { type Html, markup } from '../../http/pages/markup.ts';
import { field } from './field.ts';
import type { AdminPageParts } from './layout.ts';

export interface LogInState {
  /** Where to go then: a path of ours. */
  readonly next: string;
  readonly alert?: string;
}

/** One field: the token that the server was started with. */
export function logInPage({ next, alert }: LogInState): AdminPageParts {
  return {
    title: 'Log in',
    isOutside: true,
    alert,
    main: markup`
      <form class="card form log-in" method="post" action="/admin/log-in">
        <h1>Log in</h1>
        ${nextField(next)}
        <input hidden autocomplete="username" value="admin">
        ${field({ name: 'token', label: 'Admin token', type: 'password', required: true, autocomplete: 'current-password', autofocus: alert === undefined, note: 'The ADMIN_TOKEN of this server.' })}
        <button class="button primary" type="submit" data-busy="One moment…"><span class="button-label">Log in</span></button>
      </form>`,
  };
}

function nextField(next: string): Html | '' {
  return next === '/admin'
    ? ''
    : markup`<input type="hidden" name="next" value="${next}" autocomplete="off">`;
}

/** Where a form may send a browser: to our own pages and nowhere else. */
export function safeNext(next: string | undefined): string {
  const isOurs =
    next !== undefined && /^\/admin\/(?:packages|orders|instances|log|erase)\b[\w\-./?=&%:]*$/.test(next);
  return isOurs && !/^\/admin\/log-/.test(next) ? next : '/admin';
}
