import { App, type AppProps, Tags, Validations } from 'aws-cdk-lib';
import { Checks } from './checks.ts';
import { readOptions } from './options.ts';
import type { FunctionBundle } from './service-context.ts';
import { ServiceStack } from './service-stack.ts';
import { StorageStack } from './storage-stack.ts';

export interface Deployment {
  app: App;
  storage: StorageStack;
  service: ServiceStack;
}

/** The whole CDK app. `cdk` gives context and the account; tests give their own. */
export function createDeployment(bundle: FunctionBundle, props: AppProps = {}): Deployment {
  const app = new App({ ...props, treeMetadata: false });
  const options = readOptions(app.node);
  // Either may be missing: then the templates fit every account and Region.
  const env = {
    ...(process.env.CDK_DEFAULT_ACCOUNT === undefined ? {} : { account: process.env.CDK_DEFAULT_ACCOUNT }),
    ...(process.env.CDK_DEFAULT_REGION === undefined ? {} : { region: process.env.CDK_DEFAULT_REGION }),
  };
  const storage = new StorageStack(app, 'Storage', {
    options,
    env,
    stackName: `${options.name}-storage`,
    description: 'Lookalike: pictures, collections, keys, queues',
    terminationProtection: options.keepData,
  });
  const service = new ServiceStack(app, 'Service', {
    options,
    storage,
    bundle,
    env,
    stackName: `${options.name}-service`,
    description: 'Lookalike: API, ingestion, indexing, alarms',
  });
  Tags.of(app).add('application', options.name);
  Validations.of(app).addPlugins(new Checks(app));
  return { app, storage, service };
}
