import { de } from './de.ts';
import { en, type Texts } from './en.ts';
import type { Language } from './languages.ts';

export type { Texts } from './en.ts';

/** The catalogues: all texts of the customers' pages and mails, by language. A missing or extra text is a type error. */
const catalogues: Readonly<Record<Language, Texts>> = { en, de };

export function textsOf(language: Language): Texts {
  return catalogues[language];
}

/** A script that gives the other scripts, which are the same for all languages, their texts. */
export function textsScript({ scripts }: Texts): string {
  return `window.ticketTexts = ${JSON.stringify(scripts)};\n`;
}
