/** The texts of a search and of the links between pages of a list. */
export interface SearchTexts {
  readonly label: string;
  readonly flight: string;
  readonly night: string;
  readonly submit: string;
  /** The link that ends a search. */
  readonly all: string;
  readonly none: string;
  /** How many there are, such as `250 trips`. */
  readonly total: (count: number) => string;
  /** How many a search has found, such as `32 trips found`. */
  readonly found: (count: number) => string;
  /** The part that a page shows, such as `1–100 of 250 trips`. `all` is a result of `total` or `found`. */
  readonly range: (from: number, to: number, all: string) => string;
  readonly pages: string;
  readonly previous: string;
  readonly next: string;
  readonly page: (page: number, last: number) => string;
}
