import type { AssetCode } from 'aws-cdk-lib/aws-lambda';
import type { Network } from './network.ts';
import type { DeploymentOptions } from './options.ts';
import type { StorageStack } from './storage-stack.ts';

/** The one package that all functions run from. */
export interface FunctionBundle {
  directory: string;
  /** SHA-256 over its contents, hex. */
  hash: string;
}

/** What every part of the service stack is built from. */
export interface ServiceContext {
  options: DeploymentOptions;
  storage: StorageStack;
  bundle: FunctionBundle & { functionCode: AssetCode };
  /** Where every function but the web API runs; missing: outside of any VPC. */
  network?: Network;
  /** Of every function. */
  environment: Record<string, string>;
}
