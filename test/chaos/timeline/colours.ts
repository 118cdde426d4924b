import { type Colours, commonColours } from '../../../tools/plots/palette.ts';

/** The results of a purchase, from the bottom of the stack to its top. */
export const results = {
  confirmed: { label: 'confirmed', light: '#00805d', dark: '#35b48f' },
  accepted: { label: 'accepted, or ended since', light: '#7cc4a4', dark: '#1f6e55' },
  failed: { label: 'supplier failed, or not paid', light: '#b279c4', dark: '#9a63ad' },
  'sold-out': { label: 'sold out', light: '#8fb2de', dark: '#4d78b0' },
  'queue-full': { label: 'queue full', light: '#c6d6ec', dark: '#33496a' },
  unavailable: { label: '503, to be tried again', light: '#f0b13c', dark: '#c98f1e' },
  unanswered: { label: 'no answer', light: '#d8402f', dark: '#e8604f' },
  other: { label: 'other', light: '#6a7281', dark: '#8b94a3' },
} as const;
export type PurchaseResult = keyof typeof results;

/** The damage that a fault does to its target. Faults with the same damage have the same colour. */
export const damages = {
  killed: { label: 'killed or restarted', light: '#b3252f', dark: '#ff7d83' },
  frozen: { label: 'frozen', light: '#1f6fc0', dark: '#66b3fa' },
  network: { label: 'network delayed, cut or mute', light: '#8a6a01', dark: '#e5c04c' },
  moved: { label: 'deposed or handed over', light: '#0a8a78', dark: '#4fd4c0' },
  failing: { label: 'failing, or its memory lost', light: '#8b3fc0', dark: '#cb9bff' },
} as const;
export type Damage = keyof typeof damages;

/** All colours of a timeline. */
export const timelineColours: Colours = {
  ...commonColours,
  ...prefixed('result-', results),
  ...prefixed('damage-', damages),
};

function prefixed(prefix: string, colours: Colours): Colours {
  return Object.fromEntries(Object.entries(colours).map(([name, colour]) => [`${prefix}${name}`, colour]));
}
