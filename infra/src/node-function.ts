import { type Duration, Size, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { createLogGroup } from './log-group.ts';
import { allowNetwork } from './network.ts';
import type { ServiceContext } from './service-context.ts';

export interface NodeFunctionProps {
  description: string;
  /** Of the bundle, with the export: `app/embed.handler`. */
  handler: string;
  timeout: Duration;
  /** MB. */
  memorySize: number;
  /** MB of /tmp, 512-10,240. */
  temporaryStorage?: number;
  reservedConcurrentExecutions?: number;
  environment?: Record<string, string>;
}

/** An arm64 function of the one bundle, with a role and a log group of its own and no permission but to log and trace. */
export class NodeFunction extends LambdaFunction {
  /** For statements that no `grant…` makes. */
  readonly executionRole: Role;

  constructor(scope: Construct, id: string, context: ServiceContext, props: NodeFunctionProps) {
    const { options, bundle, network } = context;
    const logGroup = createLogGroup(scope, `${id}Logs`, options.logRetentionDays);
    const role = createLoggingRole(scope, `${id}Role`, logGroup);
    if (network !== undefined) allowNetwork(role);
    super(scope, id, {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: bundle.functionCode,
      handler: props.handler,
      timeout: props.timeout,
      memorySize: props.memorySize,
      ephemeralStorageSize: Size.mebibytes(props.temporaryStorage ?? 512),
      ...(props.reservedConcurrentExecutions === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrentExecutions }),
      environment: { ...context.environment, ...props.environment },
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...network,
    });
    this.executionRole = role;
    acknowledgeTracing(role);
  }
}

/** May write to `logGroup` only, where AWS's managed policy allows every log group of the account. */
export function createLoggingRole(scope: Construct, id: string, logGroup: LogGroup): Role {
  const role = new Role(scope, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  return role;
}

function acknowledgeTracing(role: Role): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray knows no resources: xray:PutTraceSegments and PutTelemetryRecords allow only "*".',
  });
}
