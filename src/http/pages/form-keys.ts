import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { HttpSettings } from '../app-services.ts';
import { cookieFormat, isSameText, sign } from '../security.ts';
import { newFormKey, type PageServices } from './responses.ts';

/*
 * A signed cookie with the keys of order forms that a browser received and that have no answer yet. If the connection
 * breaks during a purchase, the answer with the order's cookie is lost. The cookie of keys survives, because it was set
 * with the form.
 *
 * A form's key authorizes as much as an order's id and email (promise Q10): it has 128 random bits and belongs to one
 * form. It is shown only in that form, which is not cached (`no-store`). The API, the operators' pages, the log and the
 * suppliers never contain it. So only the browser that received the form has the signed cookie. The cookie contains
 * nothing but keys.
 *
 * Two pages that are loaded at the same moment set the cookie twice, and the browser keeps one value. The other form's
 * order is then found only by our script, which stores the purchases that it sent.
 */

type Settings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

const formsName = 'forms';
const maxAgeS = 24 * 60 * 60;
/** The most keys in the cookie. Above this number the oldest key is dropped. */
export const openFormsMax = 8;

/**
 * The keys that an answer has already set. Further changes in the same answer start from these keys, not from the
 * request's cookie.
 */
const setByAnswer = new WeakMap<Context, readonly string[]>();

/** Creates the key of a new form and adds it to the cookie. */
export function issueFormKey(
  c: Context,
  services: Pick<PageServices, 'random'> & { readonly settings: Settings },
): string {
  const key = newFormKey(services);
  write(c, services.settings, [key, ...openFormKeys(c, services.settings)].slice(0, openFormsMax));
  return key;
}

/** The keys of forms without an answer, newest first. A cookie with a wrong signature is ignored. */
export function openFormKeys(c: Context, settings: Settings): readonly string[] {
  const alreadySet = setByAnswer.get(c);
  if (alreadySet !== undefined) return alreadySet;
  const value = getCookie(c, cookieFormat(formsName, settings).name);
  if (value === undefined || value.length > 1000) return [];
  const [signature = '', ...keys] = value.split('.');
  return isSameText(signature, signatureOf(settings.secret, keys)) ? keys : [];
}

/** Removes the keys of purchases that have been answered. */
export function forgetFormKeys(c: Context, settings: Settings, answered: readonly string[]): void {
  const keys = openFormKeys(c, settings);
  const left = keys.filter((key) => !answered.includes(key));
  if (left.length < keys.length) write(c, settings, left);
}

function write(c: Context, settings: Settings, keys: readonly string[]): void {
  setByAnswer.set(c, keys);
  const { name, attributes } = cookieFormat(formsName, settings);
  setCookie(c, name, [signatureOf(settings.secret, keys), ...keys].join('.'), {
    ...attributes,
    sameSite: 'Lax',
    maxAge: maxAgeS,
  });
}

function signatureOf(secret: string, keys: readonly string[]): string {
  return sign(secret, `forms:${keys.join('.')}`);
}
