import { Duration } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { EventApi } from './event-api.ts';
import type { Ingestion } from './ingestion.ts';
import type { Maintenance } from './maintenance.ts';
import { NodeFunction } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';
import type { WebApi } from './web-api.ts';

/** Of the metrics that the functions write themselves. */
export const METRICS_NAMESPACE = 'Lookalike';

export interface MonitoredParts {
  api: EventApi | WebApi;
  ingestion: Ingestion;
  maintenance: Maintenance;
}

const everyFive = { period: Duration.minutes(5) };

export class Monitoring {
  readonly topic: Topic;
  readonly #scope: Construct;
  readonly #context: ServiceContext;

  constructor(scope: Construct, context: ServiceContext, parts: MonitoredParts) {
    this.#scope = scope;
    this.#context = context;
    this.topic = new Topic(scope, 'Alarms', {
      displayName: `${context.options.name} alarms`,
      enforceSSL: true,
    });
    if (context.options.alarmEmail !== undefined) {
      this.topic.addSubscription(new EmailSubscription(context.options.alarmEmail));
    }
    const { requests, errors, throttles, p99 } = apiMetrics(parts.api, context.options.name);
    this.#alarm('ApiErrors', errors, 5, 'The API answered 5xx');
    this.#alarm(
      'ApiThrottles',
      throttles,
      1,
      'The API turned requests away: its concurrency or rate limit is reached',
    );
    this.#alarm('ApiSlow', p99, 3000, '99 of 100 requests took up to more than 3 seconds', 3);
    const functions = this.#alarmsOnFunctions(parts);
    const queues = this.#alarmsOnQueues();
    const tail = this.#collectionMetric('TailRows');
    this.#alarm(
      'LongTail',
      tail,
      200_000,
      'A collection has many rows that are not indexed: queries slow down',
      3,
    );
    this.#alarm(
      'BucketIngestFailed',
      parts.ingestion.bucketIngest.metricFailed(everyFive),
      1,
      'A run over a bucket failed',
    );

    if (context.options.dashboard) {
      new Dashboard(scope, 'Dashboard', {
        dashboardName: `${context.options.name}-${context.storage.region}`,
        defaultInterval: Duration.days(1),
        widgets: [
          [graph('Requests', [requests, errors, throttles]), graph('API p99, ms', [p99])],
          [graph('Queues: messages', queues.depth), graph('Queues: oldest message, s', queues.age)],
          [
            graph('Rows not indexed, of the longest tail', [tail]),
            graph('Items', [this.#collectionMetric('Items')]),
          ],
          [graph('Function errors', functions.errors), graph('Function time, ms', functions.durations)],
        ],
      });
    }
    if (context.options.monthlyBudget !== undefined) this.#budget(context.options.monthlyBudget);
  }

  #alarm(
    id: string,
    metric: IMetric,
    threshold: number,
    alarmDescription: string,
    evaluationPeriods = 1,
  ): void {
    const alarm = new Alarm(this.#scope, `${id}Alarm`, {
      metric,
      threshold,
      alarmDescription,
      evaluationPeriods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // Nothing happened: that is the usual state of what scales to zero.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }

  #alarmsOnFunctions({ api, ingestion, maintenance }: MonitoredParts): {
    errors: Metric[];
    durations: Metric[];
  } {
    const functions: [string, NodeFunction][] = [
      // Where it does not start, or runs out of time or memory, the app counts nothing.
      ...(api.fn instanceof NodeFunction ? [['ApiFunction', api.fn] as [string, NodeFunction]] : []),
      ['Embed', ingestion.embed],
      ['EmbedObjects', ingestion.embedObjects],
      ['Index', maintenance.index],
      ['Sweep', maintenance.sweep],
    ];
    for (const [id, fn] of functions) {
      // To run out of time takes some of them a quarter of an hour.
      const errors = fn.metricErrors({ period: Duration.hours(1) });
      this.#alarm(`${id}Errors`, errors, 3, `${id} failed three times within an hour; its log says why`);
    }
    return {
      errors: functions.map(([label, fn]) => fn.metricErrors({ ...everyFive, label })),
      durations: functions.map(([label, fn]) =>
        fn.metricDuration({ ...everyFive, label, statistic: Stats.p(99) }),
      ),
    };
  }

  #alarmsOnQueues(): { depth: Metric[]; age: Metric[] } {
    const { embedQueue, embedDeadLetters, indexQueue, indexDeadLetters } = this.#context.storage;
    const visible = (queue: typeof embedQueue, label: string) =>
      queue.metricApproximateNumberOfMessagesVisible({ ...everyFive, label, statistic: Stats.MAXIMUM });
    const age = (queue: typeof embedQueue, label: string) =>
      queue.metricApproximateAgeOfOldestMessage({ ...everyFive, label, statistic: Stats.MAXIMUM });
    this.#alarm(
      'EmbedDeadLetters',
      visible(embedDeadLetters, 'Embed, given up'),
      1,
      'Pictures could not be ingested; each message says why',
    );
    this.#alarm(
      'IndexDeadLetters',
      visible(indexDeadLetters, 'Index, given up'),
      1,
      'Indexing a collection failed five times',
    );
    this.#alarm('EmbedLag', age(embedQueue, 'Embed'), 3600, 'Dropped pictures wait for more than an hour');
    this.#alarm(
      'IndexerLag',
      age(indexQueue, 'Index'),
      1800,
      'Commits wait for more than half an hour to be indexed',
    );
    return {
      depth: [
        visible(embedQueue, 'Embed'),
        visible(embedDeadLetters, 'Embed, given up'),
        visible(indexQueue, 'Index'),
        visible(indexDeadLetters, 'Index, given up'),
      ],
      age: [age(embedQueue, 'Embed'), age(indexQueue, 'Index')],
    };
  }

  /** The largest over all collections; written by the sweep. */
  #collectionMetric(metricName: string): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { service: this.#context.options.name },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(15),
    });
  }

  #budget(limit: number): void {
    const subscribers = [{ subscriptionType: 'EMAIL', address: this.#context.options.alarmEmail ?? '' }];
    const at = (notificationType: string, threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    new CfnBudget(this.#scope, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: limit, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:application$${this.#context.options.name}`] },
      },
      notificationsWithSubscribers: [at('ACTUAL', 80), at('FORECASTED', 100)],
    });
  }
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 12, leftYAxis: { min: 0 } });
}

/** What the app itself counts is the same on either host; what never reached the app only AWS can count. */
function apiMetrics(api: EventApi | WebApi, service: string) {
  const written = (metricName: string, statistic: string) =>
    new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { service },
      statistic,
      ...everyFive,
    });
  return {
    requests: written('RequestMilliseconds', Stats.SAMPLE_COUNT).with({ label: 'Requests' }),
    errors: written('ServerErrors', Stats.SUM),
    throttles:
      api.fn instanceof NodeFunction ? api.fn.metricThrottles(everyFive) : written('Throttled', Stats.SUM),
    p99: written('RequestMilliseconds', Stats.p(99)),
  };
}
