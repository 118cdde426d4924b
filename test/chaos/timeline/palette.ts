interface Colour {
  readonly light: string;
  readonly dark: string;
}

/** Grounds and inks. Each light value occurs once, so that a drawn plot can be turned into one for both modes. */
export const inks = {
  ink: { light: '#1b2230', dark: '#e8ecf2' },
  soft: { light: '#566072', dark: '#a4aebd' },
  grid: { light: '#e3e7ed', dark: '#2b323d' },
  axis: { light: '#9aa4b2', dark: '#5c6675' },
  lane: { light: '#f1f3f7', dark: '#1d232c' },
  card: { light: '#ffffff', dark: '#151a21' },
  p50: { light: '#0b63b5', dark: '#5aaef6' },
  p99: { light: '#cc4b01', dark: '#ff9258' },
} as const satisfies Record<string, Colour>;

/** What became of a purchase, from the bottom of the stack to its top. */
export const outcomes = {
  confirmed: { label: 'confirmed', light: '#00805d', dark: '#35b48f' },
  accepted: { label: 'accepted, or ended since', light: '#7cc4a4', dark: '#1f6e55' },
  failed: { label: 'supplier failed', light: '#b279c4', dark: '#9a63ad' },
  'sold-out': { label: 'sold out', light: '#8fb2de', dark: '#4d78b0' },
  'queue-full': { label: 'queue full', light: '#c6d6ec', dark: '#33496a' },
  unavailable: { label: '503, to be tried again', light: '#f0b13c', dark: '#c98f1e' },
  silence: { label: 'no answer', light: '#d8402f', dark: '#e8604f' },
  other: { label: 'other', light: '#6a7281', dark: '#8b94a3' },
} as const satisfies Record<string, Colour & { readonly label: string }>;
export type Outcome = keyof typeof outcomes;

/** Faults of one colour do the same kind of harm. */
export const harms = {
  killed: { label: 'killed or restarted', light: '#b3252f', dark: '#ff7d83' },
  frozen: { label: 'frozen', light: '#1f6fc0', dark: '#66b3fa' },
  network: { label: 'network delayed, cut or mute', light: '#8a6a01', dark: '#e5c04c' },
  moved: { label: 'deposed or handed over', light: '#0a8a78', dark: '#4fd4c0' },
  failing: { label: 'failing, or its memory lost', light: '#8b3fc0', dark: '#cb9bff' },
} as const satisfies Record<string, Colour & { readonly label: string }>;
export type Harm = keyof typeof harms;

function allColours(): [name: string, Colour][] {
  const prefixed = (prefix: string, colours: Readonly<Record<string, Colour>>) =>
    Object.entries(colours).map(([name, colour]): [string, Colour] => [`${prefix}${name}`, colour]);
  return [...prefixed('', inks), ...prefixed('o-', outcomes), ...prefixed('h-', harms)];
}

/** The CSS variables of all colours. */
export function cssVariables(mode: 'light' | 'dark'): string {
  return allColours()
    .map(([name, colour]) => `--${name}: ${colour[mode]};`)
    .join('\n');
}

/** Turns the light colours of a drawn plot into the page's variables, so that it follows the reader's mode. */
export function followMode(svg: string): string {
  const names = new Map(allColours().map(([name, { light }]) => [light, name]));
  return svg.replaceAll(/(fill|stroke)="(#[0-9a-f]{6})"/g, (all, attribute: string, colour: string) => {
    const name = names.get(colour);
    return name === undefined ? all : `${attribute}="var(--${name})"`;
  });
}
