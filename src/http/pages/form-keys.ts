import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { HttpSettings } from '../app-services.ts';
import { cookieFormat } from '../order-access.ts';
import { newFormKey, type PageServices } from './responses.ts';

/*
 * Which order forms a browser was given and has had no answer for. When the connection breaks during a purchase, the
 * answer with the order's cookie is lost; this cookie was set with the form itself, so it survives.
 *
 * The key of a form proves as much as an order's id and email do (rule Q10): it has 128 random bits, it was made for
 * one form, and it is shown nowhere but in that form, which nothing keeps (`no-store`). Neither the API, nor the pages
 * of operators, nor the log, nor a supplier is told a key. So whoever holds the signed cookie is the browser that was
 * given the form. The cookie holds keys alone: no email, and nothing of an order.
 *
 * Two pages that are loaded at the same moment set two cookies, of which the browser keeps one: the form of the other
 * is then found again only with JavaScript, which remembers what it sent by itself.
 */

type Settings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

const formsName = 'forms';
const keptS = 24 * 60 * 60;
/** How many forms a browser may have open: the oldest is forgotten beyond it. */
export const openFormsMax = 8;

/** What an answer has set already: a later change in the same answer starts from it, not from the request's cookie. */
const setByAnswer = new WeakMap<Context, readonly string[]>();

/** A fresh key for a form that this browser is given now. */
export function issueFormKey(
  c: Context,
  deps: Pick<PageServices, 'random'> & { readonly settings: Settings },
): string {
  const key = newFormKey(deps);
  write(c, deps.settings, [key, ...openFormKeys(c, deps.settings)].slice(0, openFormsMax));
  return key;
}

/** The keys of forms without an answer, newest first. A cookie that we did not sign counts for nothing. */
export function openFormKeys(c: Context, settings: Settings): readonly string[] {
  const alreadySet = setByAnswer.get(c);
  if (alreadySet !== undefined) return alreadySet;
  const value = getCookie(c, cookieFormat(formsName, settings).name);
  if (value === undefined || value.length > 1000) return [];
  const [mac = '', ...keys] = value.split('.');
  const expected = Buffer.from(macOf(settings.secret, keys));
  const given = Buffer.from(mac);
  return expected.length === given.length && timingSafeEqual(expected, given) ? keys : [];
}

/** Removes keys whose purchases have their answer. */
export function forgetFormKeys(c: Context, settings: Settings, answered: readonly string[]): void {
  const keys = openFormKeys(c, settings);
  const left = keys.filter((key) => !answered.includes(key));
  if (left.length < keys.length) write(c, settings, left);
}

function write(c: Context, settings: Settings, keys: readonly string[]): void {
  setByAnswer.set(c, keys);
  const { name, attributes } = cookieFormat(formsName, settings);
  setCookie(c, name, [macOf(settings.secret, keys), ...keys].join('.'), {
    ...attributes,
    sameSite: 'Lax',
    maxAge: keptS,
  });
}

/** 128 bits of HMAC-SHA256, with a prefix that no other signature of ours has. */
function macOf(secret: string, keys: readonly string[]): string {
  return createHmac('sha256', secret)
    .update(`forms:${keys.join('.')}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}
