export { LookalikeError } from './errors.ts';
export type * from './object-store.ts';
