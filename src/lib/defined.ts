type Undefinable<Members> = {
  [Name in keyof Members]: undefined extends Members[Name] ? Name : never;
}[keyof Members];

/** `Members`, where each property that may be undefined is optional instead. */
export type Defined<Members> = Omit<Members, Undefinable<Members> & keyof Members> & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<
    Members[Name],
    undefined
  >;
};

/**
 * Copies the members that are not undefined. TypeScript's exactOptionalPropertyTypes distinguishes an absent property
 * from an undefined one, so `{ ...defined({ price }) }` fits a type with `price?: number`. Do not use it on hot paths,
 * because it copies.
 */
export function defined<Members extends object>(members: Members): Defined<Members> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Defined<Members>;
}
