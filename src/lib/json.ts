/** Any JSON value. Messages between instances are JSON, and their receivers check them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The members of an object, unchecked. None of another value, also of an array. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

/** Whether the value is a string of at most so many UTF-16 code units. */
export function isText(value: unknown, lengthMax = Number.POSITIVE_INFINITY): value is string {
  return typeof value === 'string' && value.length <= lengthMax;
}
