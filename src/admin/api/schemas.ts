/* The schemas of the admin API: its requests and its answers. */
export * from './answers.ts';
export * from './requests.ts';
