import type { Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { emailInput } from '../../http/email.ts';
import { markup } from '../../http/pages/markup.ts';
import type { FieldError } from '../../http/problem.ts';
import { readForm } from '../../http/request.ts';
import type { EraseResult } from '../email-eraser.ts';
import { confirmStep } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  goOn,
  show,
  showRefused,
} from './context.ts';
import { field } from './field.ts';
import { formatQuantity } from './format.ts';
import { type AdminPageParts, heading } from './layout.ts';

const eraseForm = z.object({ email: emailInput, confirmed: z.literal('yes').optional() });

const eraseEffects: readonly string[] = [
  'In every order that has ended, a random placeholder replaces this email.',
  'Nobody can look these orders up any more. A confirmed trip stays valid with the airline and the hotel.',
  'Orders still under way keep the email: repeat this when they have ended.',
  'This cannot be undone.',
];

/** `/admin/erase`: erases an email from all orders that have ended. No address contains an email. */
export function eraseRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/erase', (c) => show(c, deps, erasePage('')))
    .post('/admin/erase', (c) => erase(c, deps));
}

function erasePage(email: string, errors: readonly FieldError[] = []): AdminPageParts {
  return {
    title: 'Erase an email',
    current: 'erase',
    main: markup`
      ${heading('Erase an email')}
      <form class="card form form-wide" method="post" action="/admin/erase" data-changes>
        ${field({ name: 'email', label: 'Email', value: email, type: 'email', maxLength: 254, required: true, note: 'You see the effect before anything is erased.' }, errors)}
        <button class="button quiet" type="submit"><span class="button-label">Show the effect</span></button>
      </form>`,
  };
}

async function erase(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, eraseForm);
  const entered = form.fields.email ?? '';
  if ('errors' in form) return showRefused(c, deps, 'invalid', erasePage(entered, form.errors));
  const { email, confirmed } = form.value;
  if (confirmed !== 'yes') {
    return show(c, deps, {
      title: 'Erase an email',
      current: 'erase',
      main: confirmStep({
        question: `Erase ${email}?`,
        effects: eraseEffects,
        action: '/admin/erase',
        fields: { email, confirmed: 'yes' },
        yes: 'Erase this email',
        back: '/admin/erase',
        backLabel: 'Keep it',
      }),
    });
  }
  const outcome = await deps.service.eraser.erase(c.var.operator, email);
  if (outcome.kind === 'done') return goOn(c, deps, '/admin/erase', erasedWords(outcome.value));
  return showRefused(c, deps, outcome.code, { ...erasePage(entered), alert: whyNot(outcome.code) });
}

function whyNot(code: ErrorCode): string {
  return `${errorKind(code).title}. Erasing it again is harmless.`;
}

function erasedWords({ erased, left }: EraseResult): string {
  const done =
    erased === 0
      ? 'No ended order has this email.'
      : `The email was erased from ${formatQuantity(erased, 'order')}.`;
  return left === 0
    ? done
    : `${done} ${formatQuantity(left, 'order')} that ${left === 1 ? 'has' : 'have'} not ended still ${left === 1 ? 'has' : 'have'} it.`;
}
