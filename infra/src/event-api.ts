import { Duration, Fn, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { FunctionUrlAuthType, InvokeMode } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { allowApi, apiEnvironment } from './api-permissions.ts';
import { createLogGroup } from './log-group.ts';
import { NodeFunction } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';

export interface ApiEndpoint {
  /** `https://…`, without a slash at the end. */
  url: string;
  /** Host name of `url`. */
  host: string;
}

/** The API as an ordinary function: a loaded index serves one request at a time. */
export class EventApi {
  readonly fn: NodeFunction;
  readonly endpoint: ApiEndpoint;
  /** Missing behind a function URL. */
  readonly httpApi?: HttpApi;

  constructor(scope: Construct, context: ServiceContext) {
    const { options } = context;
    const streams = options.endpoint === 'function-url';
    this.fn = new NodeFunction(scope, 'Api', context, {
      description: 'Lookalike: HTTP API',
      // An HTTP API takes whole answers only.
      handler: streams ? 'app/api-event.stream' : 'app/api-event.buffered',
      memorySize: options.apiMemory,
      timeout: Duration.seconds(options.apiTimeout),
      // Segments are cached there, beside what memory holds.
      temporaryStorage: 2048,
      environment: apiEnvironment(context),
      ...(options.apiConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: options.apiConcurrency }),
    });
    allowApi(this.fn.executionRole, context);
    if (streams) {
      this.endpoint = this.#functionUrl(options.auth === 'iam');
    } else {
      this.httpApi = this.#httpApi(scope, context);
      this.endpoint = { url: this.httpApi.apiEndpoint, host: hostOf(this.httpApi.apiEndpoint) };
    }
  }

  #functionUrl(iam: boolean): ApiEndpoint {
    const url = this.fn.addFunctionUrl({
      // Without IAM the app itself refuses every request that bears no known key.
      authType: iam ? FunctionUrlAuthType.AWS_IAM : FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
    });
    const host = hostOf(url.url);
    return { url: `https://${host}`, host };
  }

  #httpApi(scope: Construct, context: ServiceContext): HttpApi {
    const { options } = context;
    const api = new HttpApi(scope, 'HttpApi', {
      apiName: `${options.name}-api`,
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration('Function', this.fn),
      ...(options.auth === 'iam' ? { defaultAuthorizer: new HttpIamAuthorizer() } : {}),
    });
    const accessLog = createLogGroup(scope, 'HttpApiLogs', options.logRetentionDays);
    new HttpStage(scope, 'HttpApiStage', {
      httpApi: api,
      autoDeploy: true,
      throttle: { rateLimit: options.rateLimit, burstLimit: 2 * options.rateLimit },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.jsonWithStandardFields(),
      },
    });
    if (options.auth === 'keys') {
      for (const route of api.node.findAll().filter((one) => one.node.id === 'DefaultRoute')) {
        Validations.of(route).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason:
            'The app checks bearer keys itself, the same way on every host; without a known key it refuses.',
        });
      }
    }
    return api;
  }
}

/** Of a URL that is known only at deployment. */
function hostOf(url: string): string {
  return Fn.select(2, Fn.split('/', url));
}
