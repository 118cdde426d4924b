/** The languages of the customers' pages and mails. */
export const languages = ['en', 'de'] as const;

export type Language = (typeof languages)[number];

/** The language for browsers that accept none of ours, and of an address that names none. */
export const defaultLanguage: Language = 'en';

/** The name of each language in the language itself. */
export const languageNames: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

/** The language with this code; undefined if it is none of ours. */
export function languageFrom(code: string | null | undefined): Language | undefined {
  return languages.find((language) => language === code);
}

/** Adds a language to the address of a page, a fragment or a socket: `/order?page=2` → `/order?page=2&lang=de`. */
export function addressIn(language: Language, address: string): string {
  return `${address}${address.includes('?') ? '&' : '?'}lang=${language}`;
}
