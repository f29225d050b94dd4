export { type Bill, functionMegabytes, lookalikeMonth, s3VectorsMonth, serverMonth } from './month.ts';
export { PRICES, type Prices } from './prices.ts';
export { costReport } from './report.ts';
export { ASSUMPTIONS, type Assumptions, rowBytes, type Workload } from './workload.ts';
