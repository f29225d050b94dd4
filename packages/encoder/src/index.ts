export type * from './encoder.ts';
export type * from './model.ts';
