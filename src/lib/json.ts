/** What travels between instances: plain JSON, checked by its receiver. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
