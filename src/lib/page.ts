/** A page of a list. `next` is the cursor of the next page; absent on the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}
