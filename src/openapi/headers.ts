import { z } from 'zod';
import type { Header } from './operation.ts';

export const retryAfter: Header = {
  description: 'Seconds after which asking again may help.',
  schema: z.int().min(0),
};

export const allow: Header = {
  description: 'The methods of this resource.',
  schema: z.string(),
  required: true,
};

export const requestId: Header = {
  description: 'What the log calls this request.',
  schema: z.string(),
};

export const authenticate: Header = {
  description: 'How to authenticate.',
  schema: z.string(),
  required: true,
};

export const orderLocation: Header = {
  description: 'Where the order is found.',
  schema: z.string().meta({ format: 'uri-reference' }),
  required: true,
};

export const preferenceApplied: Header = {
  description: 'Which preferences of `Prefer` were followed.',
  schema: z.string(),
};

/** What answers of limited operations say (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimit: Readonly<Record<string, Header>> = {
  RateLimit: {
    description: 'What is left: `r` more in the next `t` seconds. Absent where nothing is limited.',
    schema: z.string(),
  },
  'RateLimit-Policy': { description: 'The limits: `q` in any `w` seconds.', schema: z.string() },
};
