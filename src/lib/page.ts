/** A page of a list. `next` is the cursor of the next page; absent on the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** How many items one page of {@link itemsOf} has. */
const pageSize = 1_000;

/** All items of a list, read page by page while they are used. */
export async function* itemsOf<Item>(
  readPage: (cursor: string | undefined, limit: number) => Promise<Page<Item>>,
): AsyncGenerator<Item> {
  let cursor: string | undefined;
  do {
    const { items, next } = await readPage(cursor, pageSize);
    yield* items;
    cursor = next;
  } while (cursor !== undefined);
}

/** {@link itemsOf} as an array. */
export async function allItemsOf<Item>(
  readPage: (cursor: string | undefined, limit: number) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of itemsOf(readPage)) items.push(item);
  return items;
}
