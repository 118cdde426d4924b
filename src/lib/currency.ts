/** The currencies of ISO 4217 whose minor unit is not a hundredth, by the number of its digits. */
const digits: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/**
 * How many minor units are one unit of a currency: 100 for EUR, 1 for JPY, 1,000 for KWD (ISO 4217). `Intl` is no source for
 * this, because it leaves out minor units that nobody uses, such as those of HUF.
 */
export function minorUnitsOf(currency: string): number {
  const found = Object.entries(digits).find(([, codes]) => codes.split(' ').includes(currency));
  return 10 ** Number(found?.[0] ?? 2);
}
