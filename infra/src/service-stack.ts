import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { createDistribution } from './edge.ts';
import { EventApi } from './event-api.ts';
import { Ingestion } from './ingestion.ts';
import { Maintenance } from './maintenance.ts';
import { METRICS_NAMESPACE, Monitoring } from './monitoring.ts';
import { createNetwork } from './network.ts';
import type { DeploymentOptions } from './options.ts';
import type { FunctionBundle, ServiceContext } from './service-context.ts';
import type { StorageStack } from './storage-stack.ts';
import { WebApi } from './web-api.ts';

export interface ServiceStackProps extends StackProps {
  options: DeploymentOptions;
  storage: StorageStack;
  bundle: FunctionBundle;
}

/** All that runs. Nothing of the user's is in it: it may be deleted and deployed again. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { options, storage, bundle, ...props }: ServiceStackProps) {
    super(scope, id, props);
    const network = createNetwork(this, options);
    const context: ServiceContext = {
      options,
      storage,
      ...(network === undefined ? {} : { network }),
      bundle: { ...bundle, functionCode: Code.fromAsset(bundle.directory, { assetHash: bundle.hash }) },
      environment: {
        LOOKALIKE_STORE: `s3://${storage.data.bucketName}`,
        ...(options.model === undefined ? {} : { LOOKALIKE_MODEL: options.model }),
        POWERTOOLS_SERVICE_NAME: options.name,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      },
    };
    const api = options.api === 'web' ? new WebApi(this, context) : new EventApi(this, context);
    const ingestion = new Ingestion(this, context);
    const maintenance = new Maintenance(this, context);
    new Monitoring(this, context, { api, ingestion, maintenance });

    let url = api.endpoint.url;
    if (options.cloudFront) url = `https://${createDistribution(this, context, api.endpoint).domainName}`;
    new CfnOutput(this, 'Url', { value: url, description: 'Of the API and the page' });
    new CfnOutput(this, 'BucketIngestArn', {
      value: ingestion.bucketIngest.stateMachineArn,
      description: 'Ingests a whole bucket: lookalike ingest s3://…',
    });
  }
}
