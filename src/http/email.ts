import { domainToASCII } from 'node:url';
import { z } from 'zod';

/*
 * Emails as callers write them, and as orders store them: lower case, and the domain as ASCII, so that each email has one
 * form. `bücher.example` becomes `xn--bcher-kva.example` (UTS #46, as in browsers).
 */

/** What can be wrong with the email of a purchase. */
export type EmailProblem = 'invalid' | 'tooLong' | 'localTooLong' | 'labelTooLong';

type ParsedEmail = { readonly email: string } | { readonly problem: EmailProblem };

const messages: Readonly<Record<EmailProblem, string>> = {
  invalid: 'must be an email address, for example ana@example.com',
  tooLong: 'must have at most 254 characters',
  localTooLong: 'must have at most 64 characters before the @',
  labelTooLong: 'must have at most 63 characters between two dots of its domain, as ASCII (xn--…)',
};

/** RFC 5321, 4.5.3.1. */
const charactersMax = 254;
const localMax = 64;
/** More characters than a name in the domain may have: RFC 1035, 2.3.4. */
const longLabel = /@.*[^.]{64}/;

/**
 * zod's pattern, and the last name of a domain may be an internationalised one too. Also for the API's description, whose
 * readers understand `\w` in different ways.
 */
const pattern =
  "^(?:[A-Za-z0-9_'+-]+\\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]@" +
  '(?:[A-Za-z0-9][A-Za-z0-9-]*\\.)+(?:[A-Za-z]{2,}|[Xx][Nn]--[A-Za-z0-9-]+)$';
const address = new RegExp(pattern);

/** Other characters of ASCII in a domain never reach the conversion: it reads `%41`, `/` and `:` as parts of a URL. */
const withOtherLetters = /^(?<local>[\x21-\x7e]+)@(?<domain>[A-Za-z\d.\x80-\u{10ffff}-]+)$/u;

/**
 * An email in lower case with its domain as ASCII. A text that is no email may come back unchanged. The local part is
 * never converted: some other letters, such as the Kelvin sign, become ASCII in lower case, and would turn one person's
 * email into another's.
 */
function asciiEmail(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.toLowerCase();
  const { local, domain } = withOtherLetters.exec(text)?.groups ?? {};
  if (local === undefined || domain === undefined) return text;
  return `${local.toLowerCase()}@${domainToASCII(domain)}`;
}

/** Parses the email of an order that exists. Orders of older releases may have longer parts than new ones. */
function parseEmail(text: string): ParsedEmail {
  const trimmed = text.trim();
  const email = trimmed.length > charactersMax ? trimmed : asciiEmail(trimmed);
  if (email.length > charactersMax) return { problem: 'tooLong' };
  return address.test(email) ? { email } : { problem: 'invalid' };
}

/** Parses the email of a purchase. Mail servers refuse longer parts, so its buyer would never get a mail. */
export function parseNewEmail(text: string): ParsedEmail {
  const parsed = parseEmail(text);
  if ('problem' in parsed) return parsed;
  if (parsed.email.indexOf('@') > localMax) return { problem: 'localTooLong' };
  return longLabel.test(parsed.email) ? { problem: 'labelTooLong' } : parsed;
}

function emailSchema(parse: (text: string) => ParsedEmail) {
  return z.string({ error: messages.invalid }).transform((text, context) => {
    const parsed = parse(text);
    if ('email' in parsed) return parsed.email;
    context.addIssue({ code: 'custom', message: messages[parsed.problem] });
    return z.NEVER;
  });
}

const description =
  'An email address. Its case does not matter. A domain with other letters is accepted too, and becomes ASCII: ' +
  '`bücher.example` is `xn--bcher-kva.example`. The pattern is that of the ASCII form.';

/** The email of an order that exists. */
export const emailInput = emailSchema(parseEmail).meta({
  description,
  maxLength: charactersMax,
  pattern,
});

/** The email of a purchase. */
export const newEmailInput = emailSchema(parseNewEmail).meta({
  description: `${description} At most 64 characters before the @, and 63 between two dots of the domain.`,
  maxLength: charactersMax,
  pattern: pattern.replace('^', '^(?![^@]{65})(?!.*@.*[^.]{64})'),
});
