/* What the operators' API takes and answers. */
export * from './answers.ts';
export * from './requests.ts';
