/** One page of a walk over everything. `next` is absent on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}
