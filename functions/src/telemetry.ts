import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** Lines of JSON with the id of the request and of its trace. */
export const logger = new Logger();
/** Written as log lines that CloudWatch reads (embedded metric format): no call, no wait. */
export const metrics = new Metrics();
export { MetricUnit };
