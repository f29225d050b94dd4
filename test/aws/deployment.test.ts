import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Capture, Match, Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Code, FunctionUrlAuthType, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployment } from '../../infra/src/deployment.ts';
import { refusalsPrefix } from '../../packages/ingest/src/refusal-log.ts';

const flags = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')).context;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lookalike-cdk-'));
  mkdirSync(join(folder, 'bundle'));
  writeFileSync(join(folder, 'bundle/package.json'), '{}');
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Synthesised {
  storage: Template;
  service: Template;
  /** Findings of cdk-nag and of CloudFormation's own rules that nobody acknowledged. */
  report: { pluginReports: { violations: { ruleName: string }[] }[] };
}

function synthesise(options: Record<string, string> = {}): Synthesised {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const bundle = { directory: join(folder, 'bundle'), hash: 'a'.repeat(64) };
  const { app, storage, service } = createDeployment(bundle, { context: { ...flags, ...options }, outdir });
  // Throws where a rule of cdk-nag or of CloudFormation is broken and not acknowledged with a reason.
  app.synth();
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
  return { storage: Template.fromStack(storage), service: Template.fromStack(service), report };
}

type Resources = Record<
  string,
  { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string }
>;

function resources(template: Template, type: string): Resources {
  return template.findResources(type) as Resources;
}

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** Which buckets the role of a function may do something in, as `<role> <bucket>`. */
function bucketsAllowed(service: Template, action: string): string[] {
  const allowed = new Set<string>();
  for (const [id, { Properties }] of Object.entries(resources(service, 'AWS::IAM::Policy'))) {
    const [, role] = /^(\w*Role)DefaultPolicy/.exec(id) ?? [];
    if (role === undefined || !/^(Api|WebApi|Embed|EmbedObjects|Index|Sweep)Role$/.test(role)) continue;
    for (const { Action, Resource, Condition } of (Properties.PolicyDocument as { Statement: Statement[] })
      .Statement)
      if ([Action].flat().includes(action) && Condition === undefined)
        for (const [, own, other] of JSON.stringify(Resource).matchAll(
          /GetAtt([A-Z][a-z]+)\w*Arn|:s3:::([\w-]+)/g,
        ))
          allowed.add(`${role} ${own ?? other}`);
  }
  return [...allowed].sort();
}

describe('the default deployment', () => {
  let made: Synthesised;

  beforeAll(() => {
    made = synthesise();
  }, 120_000);

  test('breaks no rule', () => {
    expect(made.report.pluginReports.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('keeps buckets and keys private, encrypted, behind TLS, and when the stack is deleted', () => {
    const buckets = Object.values(resources(made.storage, 'AWS::S3::Bucket'));
    expect(buckets).toHaveLength(3);
    for (const bucket of buckets) {
      expect(bucket.DeletionPolicy).toBe('Retain');
      expect(bucket.Properties.BucketEncryption).toBeDefined();
      expect(bucket.Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
    }
    const policies = Object.values(resources(made.storage, 'AWS::S3::BucketPolicy'));
    for (const policy of policies) expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"');
    for (const secret of Object.values(resources(made.storage, 'AWS::SecretsManager::Secret'))) {
      expect(secret.DeletionPolicy).toBe('Retain');
    }
  });

  test('lets nobody overwrite a commit', () => {
    made.storage.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Sid: 'CommitsAreCreateOnly',
            Effect: 'Deny',
            Action: 's3:PutObject',
            Condition: { Null: { 's3:if-none-match': 'true' } },
            Resource: { 'Fn::Join': ['', [Match.anyValue(), '/collections/*/log/*']] },
          }),
        ]),
      },
    });
  });

  test('runs every function on arm64 with Node 24, its own role, traces, and logs that end', () => {
    const functions = Object.values(resources(made.service, 'AWS::Lambda::Function'));
    expect(functions).toHaveLength(5);
    const roles = new Set<string>();
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogFormat: 'JSON', LogGroup: expect.anything() },
      });
      roles.add(JSON.stringify(Properties.Role));
    }
    expect(roles.size).toBe(functions.length);
    for (const { Properties } of Object.values(resources(made.service, 'AWS::Logs::LogGroup'))) {
      expect(Properties.RetentionInDays).toBe(30);
    }
  });

  test('allows no function what it has no use for', () => {
    const policies = Object.entries(resources(made.service, 'AWS::IAM::Policy'));
    const textOf = (role: string) => JSON.stringify(policies.filter(([id]) => id.startsWith(role)));
    for (const [id, policy] of policies)
      expect(JSON.stringify(policy), id).not.toMatch(/"Action":"\*"|"s3:\*"/);
    for (const role of ['EmbedRole', 'EmbedObjectsRole', 'IndexRole', 'SweepRole']) {
      expect(textOf(role)).not.toContain('secretsmanager');
    }
    expect(textOf('IndexRole')).not.toContain('/ingest/*');
    expect(textOf('ApiRole')).not.toContain('sqs:');
    // It signs uploads and reads them, and no other object in the bucket of pictures.
    expect(textOf('ApiRole')).toContain('/uploads/*');
    expect(textOf('ApiRole')).not.toContain('/ingest/*');
    expect(textOf('EmbedRole')).toContain('sqs:SendMessage');
    expect(textOf('EmbedRole')).toContain(`/${refusalsPrefix}*`);
  });

  test('may list where it reads, as S3 otherwise answers 403 for what does not exist', () => {
    const read = bucketsAllowed(made.service, 's3:GetObject');
    expect(read).toContain('ApiRole Pictures');
    expect(bucketsAllowed(made.service, 's3:ListBucket')).toEqual(read);
  });

  test('starts the embed function by the queue, message by message, and bounds what it costs', () => {
    made.service.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 20,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 10 },
    });
    made.service.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'app/api-event.stream',
      ReservedConcurrentExecutions: 50,
    });
  });

  test('leaves the indexer room beside its cache for the segments that merges read and write', () => {
    made.service.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'app/index-collections.handler',
      EphemeralStorage: { Size: 4096 },
      Environment: { Variables: Match.objectLike({ LOOKALIKE_DISK_CACHE_MB: '1024' }) },
    });
  });

  test('hides a message from others for as long as Lambda may work on it, and gives up after five tries', () => {
    const queues = Object.values(resources(made.storage, 'AWS::SQS::Queue'));
    expect(queues).toHaveLength(4);
    const withDeadLetters = queues.filter(({ Properties }) => Properties.RedrivePolicy !== undefined);
    expect(withDeadLetters.map(({ Properties }) => Properties.VisibilityTimeout).sort()).toEqual([1800, 960]);
    for (const { Properties } of withDeadLetters)
      expect(Properties.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
    for (const { Properties } of queues) expect(Properties.SqsManagedSseEnabled).toBe(true);
  });

  test('tells the queue of pictures that come and go under ingest/, and the indexer of commits', () => {
    const of = (Event: string) =>
      Match.objectLike({ Event, Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'ingest/' }] } } });
    made.storage.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: {
        QueueConfigurations: Match.arrayWith([of('s3:ObjectCreated:*'), of('s3:ObjectRemoved:*')]),
      },
    });
    made.storage.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { detail: { object: { key: [{ wildcard: 'collections/*/log/*' }] } } },
    });
  });

  test('has an endpoint that streams, checked by the app, with the key in a secret', () => {
    made.service.hasResourceProperties('AWS::Lambda::Url', {
      AuthType: 'NONE',
      InvokeMode: 'RESPONSE_STREAM',
    });
    made.service.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'app/api-event.stream',
      Environment: { Variables: { LOOKALIKE_AUTH: 'keys', LOOKALIKE_KEYS_SECRET: Match.anyValue() } },
    });
  });

  test('lists a bucket for the distributed map in batches, with retries', () => {
    const definition = new Capture();
    made.service.hasResourceProperties('AWS::StepFunctions::StateMachine', { DefinitionString: definition });
    const text = JSON.stringify(definition.asObject());
    expect(text).toContain('listObjectsV2');
    // The whole definition runs in bucket-ingest.test.ts.
    expect(text).toContain('Bucket.$');
    expect(text).toContain('DISTRIBUTED');
    expect(text).toContain('MaxItemsPerBatch');
    expect(text).toContain('Retry');
  });

  test('raises an alarm for each thing that can go wrong unseen', () => {
    const alarms = Object.keys(resources(made.service, 'AWS::CloudWatch::Alarm')).map((id) =>
      id.replace(/Alarm.*/, ''),
    );
    expect(alarms.sort()).toEqual([
      'ApiErrors',
      'ApiFunctionErrors',
      'ApiSlow',
      'ApiThrottles',
      'BucketIngestFailed',
      'EmbedDeadLetters',
      'EmbedErrors',
      'EmbedLag',
      'EmbedObjectsErrors',
      'IndexDeadLetters',
      'IndexErrors',
      'IndexerLag',
      'LongTail',
      'SweepErrors',
    ]);
    made.service.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });

  test('counts the errors of a function over as long as it takes to run out of time three times', () => {
    const timeouts = new Map(
      Object.entries(resources(made.service, 'AWS::Lambda::Function')).map(([id, { Properties }]) => [
        id,
        Properties.Timeout as number,
      ]),
    );
    let checked = 0;
    for (const { Properties } of Object.values(resources(made.service, 'AWS::CloudWatch::Alarm'))) {
      const { MetricName, Period, Threshold, Dimensions } = Properties as {
        MetricName?: string;
        Period: number;
        Threshold: number;
        Dimensions: { Value: { Ref: string } }[];
      };
      if (MetricName !== 'Errors') continue;
      const timeout = timeouts.get(Dimensions[0]?.Value.Ref ?? '') as number;
      expect(Period).toBeGreaterThanOrEqual(Threshold * timeout);
      checked++;
    }
    expect(checked).toBe(5);
  });

  test('holds nothing of the user’s in the stack that may be deleted', () => {
    for (const type of [
      'AWS::S3::Bucket',
      'AWS::SQS::Queue',
      'AWS::SecretsManager::Secret',
      'AWS::KMS::Key',
    ]) {
      made.service.resourceCountIs(type, 0);
    }
  });
});

describe('the API as a Web Function', () => {
  let service: Template;

  beforeAll(() => {
    ({ service } = synthesise({ api: 'web', webConcurrency: '64', maxEnvironments: '3', rateLimit: '200' }));
  }, 120_000);

  test('serves many requests from one index, within bounds', () => {
    const text = JSON.stringify(service.toJSON());
    service.resourceCountIs('AWS::Lambda::WebFunction', 1);
    expect(text).toContain('"AWS_LAMBDA_NODEJS_ENTRYPOINT":"app/api-web.js"');
    const endpoint = Object.values(resources(service, 'AWS::Lambda::WebFunctionEndpoint'))[0];
    expect(JSON.stringify(endpoint)).toMatch(/200/);
    expect(Object.keys(resources(service, 'AWS::Lambda::Url'))).toEqual([]);
  });

  test('may list where it reads', () => {
    const read = bucketsAllowed(service, 's3:GetObject');
    expect(read).toContain('WebApiRole Pictures');
    expect(bucketsAllowed(service, 's3:ListBucket')).toEqual(read);
  });

  test('takes values of the other stack from this one’s own parameters', () => {
    const revision = Object.values(resources(service, 'AWS::Lambda::WebFunctionRevision'))[0];
    expect(JSON.stringify(revision)).not.toContain('Fn::GetStackOutput');
  });
});

describe('options', () => {
  test('HTTP API with IAM: every route asks for a signature, and the rate is bounded', () => {
    const { service } = synthesise({ endpoint: 'http-api', auth: 'iam', rateLimit: '20' });
    service.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' });
    service.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
    });
    service.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'app/api-event.buffered',
      Timeout: 30,
    });
    service.resourceCountIs('AWS::Lambda::Url', 0);
  }, 120_000);

  test('the docs name what CDK allows a caller of a function URL with IAM', () => {
    const stack = new Stack(new App(), 'Caller');
    const caller = new Role(stack, 'Role', { assumedBy: new AccountRootPrincipal() });
    const fn = new LambdaFunction(stack, 'Api', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = async () => {};'),
    });
    fn.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }).grantInvokeUrl(caller);
    const policies = JSON.stringify(resources(Template.fromStack(stack), 'AWS::IAM::Policy'));
    const named = policies.match(/lambda:Invoke\w+/g) ?? [];
    expect(named).toContain('lambda:InvokedViaFunctionUrl');
    const docs = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
    for (const name of named) expect(docs).toMatch(new RegExp(`${name}\\b`));
  });

  test('all of the rest together', () => {
    const { storage, service } = synthesise({
      name: 'pictures',
      customerKey: 'true',
      keepData: 'false',
      cloudFront: 'true',
      webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/guard/0a1b',
      sourceBuckets: 'archive-one,archive-two',
      inventory: 'daily',
      corsOrigins: 'https://example.com',
      alarmEmail: 'ops@example.com',
      monthlyBudget: '40',
      dashboard: 'false',
      apiConcurrency: 'none',
      apiMemory: '10240',
    });
    storage.resourceCountIs('AWS::KMS::Key', 1);
    service.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
    for (const { DeletionPolicy } of Object.values(resources(storage, 'AWS::S3::Bucket')))
      expect(DeletionPolicy).toBe('Delete');
    service.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { WebACLId: Match.stringLikeRegexp('webacl/guard') },
    });
    service.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 40, Unit: 'USD' } },
    });
    service.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
    const read = bucketsAllowed(service, 's3:GetObject');
    expect(read).toContain('EmbedObjectsRole archive-two');
    expect(bucketsAllowed(service, 's3:ListBucket')).toEqual(read);
    storage.hasResourceProperties('AWS::S3::Bucket', {
      InventoryConfigurations: [
        Match.objectLike({ ScheduleFrequency: 'Daily', IncludedObjectVersions: 'Current' }),
      ],
    });
    const api = Object.values(resources(service, 'AWS::Lambda::Function')).find(({ Properties }) =>
      String(Properties.Handler).startsWith('app/api'),
    );
    expect(api?.Properties.MemorySize).toBe(10_240);
    expect(api?.Properties.ReservedConcurrentExecutions).toBeUndefined();
  }, 120_000);

  test('a VPC of its own: no way to the internet, and endpoints for what the functions call', () => {
    const { service, report } = synthesise({ vpc: 'new' });
    expect(report.pluginReports.flatMap(({ violations }) => violations)).toEqual([]);
    for (const type of ['AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway'])
      service.resourceCountIs(type, 0);
    const endpoints = Object.values(resources(service, 'AWS::EC2::VPCEndpoint'));
    const kinds = endpoints.map(
      ({ Properties }) => `${Properties.VpcEndpointType} ${JSON.stringify(Properties.ServiceName)}`,
    );
    expect(kinds.filter((kind) => /^Gateway .*s3/.test(kind))).toHaveLength(1);
    for (const name of ['sqs', 'secretsmanager'])
      expect(kinds.filter((kind) => kind.startsWith('Interface') && kind.includes(name))).toHaveLength(1);
    const functions = Object.values(resources(service, 'AWS::Lambda::Function'));
    for (const { Properties } of functions) expect(Properties.VpcConfig).toBeDefined();
    service.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [Match.objectLike({ FromPort: 443, ToPort: 443, IpProtocol: 'tcp' })],
      SecurityGroupIngress: Match.absent(),
    });
  }, 120_000);

  test('a VPC that is there is taken by its ids, without a look into an account', () => {
    const { service } = synthesise({
      vpc: 'vpc-0a1b2c3d',
      subnets: 'subnet-0a1b2c3d,subnet-1a1b2c3d',
      securityGroups: 'sg-0a1b2c3d',
    });
    service.allResourcesProperties('AWS::Lambda::Function', {
      VpcConfig: { SubnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'], SecurityGroupIds: ['sg-0a1b2c3d'] },
    });
    service.resourceCountIs('AWS::EC2::VPC', 0);
  }, 120_000);

  test.each([
    [{ api: 'container' }, '-c api=container: expected event or web'],
    [{ apiMemory: '20000' }, '-c apiMemory=20000: expected a whole number, 512-10240'],
    [{ corsOrigins: 'https://a.example/path' }, '-c corsOrigins=https://a.example/path'],
    [{ keepData: 'yes' }, '-c keepData=yes: expected true or false'],
    [{ logRetentionDays: '31' }, '-c logRetentionDays=31'],
    [{ endpoint: 'http-api', apiTimeout: '60' }, 'answers within 30 seconds'],
    [{ api: 'web', rateLimit: '150' }, 'rateLimit of 100-1000 in hundreds'],
    [{ vpc: 'new', api: 'web' }, 'a Web Function needs a network connector'],
    [{ vpc: 'vpc-0a1b2c3d' }, 'subnets and securityGroups go with vpc=<id>'],
    [{ vpc: 'mine' }, '-c vpc=mine: expected none, new, or the id of a VPC'],
    [{ monthlyBudget: '10' }, 'monthlyBudget needs alarmEmail'],
  ])('%o is refused: %s', (options, message) => {
    expect(() => synthesise(options)).toThrow(message);
  });
});
