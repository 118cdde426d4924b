import type { Context, MiddlewareHandler } from 'hono';
import { setCookie } from 'hono/cookie';
import { type DetectorOptions, detectFromCookie, detectFromHeader, detectFromQuery } from 'hono/language';
import type { HttpSettings } from '../app-services.ts';
import { cookieFormat } from '../security.ts';
import { defaultLanguage, type Language, languageFrom, languages } from './texts/languages.ts';

type CookieSettings = Pick<HttpSettings, 'publicOrigin'>;

/** The cookie has a language's code. It only says what the customer has chosen, so it needs no signature. */
const cookieName = 'language';
const maxAgeS = 365 * 24 * 60 * 60;
/** Browsers send less than 200 characters. Parsing 16 KB of languages would cost more than rendering ten pages. */
const acceptedCharactersMax = 1_000;

/**
 * The language that a request of a page chooses: the one that the address names (`?lang=de`), or else the one that was
 * chosen before, or else the best match for `Accept-Language` with its weights (RFC 9110, section 12.5.4). `de-AT`
 * matches `de`. A header that is much longer than those of browsers is ignored.
 */
function chosenLanguage(c: Context, settings: CookieSettings): Language {
  const options = detectorOptions(settings);
  const found = detectFromQuery(c, options) ?? detectFromCookie(c, options) ?? acceptedLanguage(c);
  return languageFrom(found) ?? defaultLanguage;
}

/** The language of a page. Sets the headers that say so. */
export function chooseLanguage(c: Context, settings: CookieSettings): Language {
  const language = chosenLanguage(c, settings);
  c.header('Vary', 'Accept-Language');
  c.header('Content-Language', language);
  return language;
}

function acceptedLanguage(c: Context): string | undefined {
  const { length } = c.req.header('Accept-Language') ?? '';
  return length > acceptedCharactersMax ? undefined : detectFromHeader(c, detection);
}

/** The language that a buyer on a page chooses, for the order. Absent for English. */
export function languageOfBuyer(c: Context, settings: CookieSettings): { readonly language?: Language } {
  return orderLanguage(chosenLanguage(c, settings));
}

/** The language that a caller of the API prefers by `Accept-Language`, for the order. Absent for English. */
export function languageOfCaller(c: Context): { readonly language?: Language } {
  return orderLanguage(languageFrom(acceptedLanguage(c)) ?? defaultLanguage);
}

/** Most orders are English and name no language, so that no commit pays for it. */
function orderLanguage(language: Language): { readonly language?: Language } {
  return language === defaultLanguage ? {} : { language };
}

/**
 * Remembers a language that the address of a page names, which works without JavaScript. Not for fragments: their
 * addresses name the language of their page, which need not be the one that was chosen last.
 */
export function rememberLanguage(settings: CookieSettings): MiddlewareHandler {
  const options = detectorOptions(settings);
  const { attributes } = cookieFormat(cookieName, settings);
  return async (c, next) => {
    const chosen = detectFromQuery(c, options);
    if (chosen !== undefined) {
      setCookie(c, options.lookupCookie, chosen, { ...attributes, sameSite: 'Lax', maxAge: maxAgeS });
    }
    await next();
  };
}

const detection: DetectorOptions = {
  order: ['querystring', 'cookie', 'header'],
  lookupQueryString: 'lang',
  lookupCookie: cookieName,
  lookupFromHeaderKey: 'Accept-Language',
  lookupFromPathIndex: 0,
  caches: false,
  ignoreCase: true,
  fallbackLanguage: defaultLanguage,
  supportedLanguages: [...languages],
};

function detectorOptions(settings: CookieSettings): DetectorOptions {
  return { ...detection, lookupCookie: cookieFormat(cookieName, settings).name };
}
