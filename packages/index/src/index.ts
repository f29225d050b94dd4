export type * from './engine.ts';
export type * from './filter.ts';
