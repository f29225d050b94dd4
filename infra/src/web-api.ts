import { Duration, Token, Validations } from 'aws-cdk-lib';
import {
  ApplicationLogLevel,
  SystemLogLevel,
  WebFunction,
  WebFunctionAuthType,
  WebFunctionCode,
  WebFunctionRuntime,
} from 'aws-cdk-lib/aws-lambda';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { allowApi, apiEnvironment } from './api-permissions.ts';
import type { ApiEndpoint } from './event-api.ts';
import { createLogGroup } from './log-group.ts';
import { createLoggingRole } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';

/** The API as a Lambda Web Function: one loaded index serves many requests at once. Not in every Region. */
export class WebApi {
  readonly fn: WebFunction;
  readonly endpoint: ApiEndpoint;

  constructor(scope: Construct, context: ServiceContext) {
    const { options, bundle } = context;
    const logGroup = createLogGroup(scope, 'WebApiLogs', options.logRetentionDays);
    const role = createLoggingRole(scope, 'WebApiRole', logGroup);
    allowApi(role, context);
    this.fn = new WebFunction(scope, 'WebApi', {
      code: WebFunctionCode.fromAssetToManagedBucket(bundle.directory, {
        assetHash: bundle.hash,
        copyOptions: { logGroup: createLogGroup(scope, 'WebApiCodeCopyLogs', options.logRetentionDays) },
      }),
      runtime: WebFunctionRuntime.NODEJS_24_X,
      entryPoint: 'app/api-web.js',
      role,
      logGroup,
      applicationLogLevel: ApplicationLogLevel.INFO,
      systemLogLevel: SystemLogLevel.WARN,
      timeout: Duration.seconds(options.apiTimeout),
      maxConcurrencyPerEnvironment: options.webConcurrency,
      environment: localValues(scope, { ...context.environment, ...apiEnvironment(context) }),
      // Application-managed: the app itself refuses every request that bears no known key.
      defaultEndpointAuth:
        options.auth === 'iam' ? WebFunctionAuthType.IAM_AUTH : WebFunctionAuthType.APPLICATION_MANAGED,
      defaultEndpoint: { maxEnvironments: options.maxEnvironments, rateLimit: options.rateLimit },
    });
    acknowledgeCodeCopy(scope, this.fn);
    const host = this.fn.endpoint.domainName;
    this.endpoint = { url: `https://${host}`, host };
  }
}

/**
 * aws-cdk-lib 2.276 writes a reference to another stack into the template as if the resource were in this one (in the custom resource
 * that copies the code), so values of the other stack come by way of a parameter of this one.
 */
function localValues(scope: Construct, environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      Token.isUnresolved(value)
        ? new StringParameter(scope, `WebApi${name}`, {
            stringValue: value,
            description: `${name} of the web API`,
          }).stringValue
        : value,
    ]),
  );
}

/** What CDK makes to bring the code into a bucket that a Web Function may read. */
function acknowledgeCodeCopy(scope: Construct, fn: WebFunction): void {
  const reason =
    'Made by CDK to copy the code of the Web Function at deployment; its permissions are CDK’s to choose.';
  const ids = [
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
    'AwsSolutions-IAM5[Action::s3:DeleteObject*]',
    'AwsSolutions-IAM5[Action::s3:Abort*]',
    'AwsSolutions-IAM5[Action::s3:GetObject*]',
    'AwsSolutions-IAM5[Action::s3:GetBucket*]',
    'AwsSolutions-IAM5[Action::s3:List*]',
    'AwsSolutions-IAM5[Resource::…/*]',
    'AwsSolutions-L1',
    'AwsSolutions-S1',
  ];
  const made = (id: string) => id.startsWith('Custom::') || id.startsWith('AWSCDKWebFunctionAssetBucket');
  for (const construct of scope.node.children.filter(({ node }) => made(node.id))) {
    Validations.of(construct).acknowledge(...ids.map((id) => ({ id, reason })));
  }
  Validations.of(fn).acknowledge({
    id: 'Annotation::@aws-cdk/aws-lambda:webFunctionPublicEndpoint',
    reason: 'The app itself checks bearer keys; without a known key it refuses every request.',
  });
}
