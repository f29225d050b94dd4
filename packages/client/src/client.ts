import { DuplicateCalls } from './duplicate-calls.ts';

/**
 * The HTTP API of a Lookalike server, over nothing but `fetch`: for Node, browsers and Lambda.
 * Every method throws `LookalikeApiError`, or the reason of an aborted signal.
 */
export class LookalikeClient extends DuplicateCalls {}
