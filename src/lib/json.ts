/** Any JSON value. Messages between instances are JSON, and their receivers check them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
