import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Definition, type MapRun, runMachine, type World } from './state-machine.ts';

interface Execution {
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  output?: string;
  cause?: string;
  mapRun?: MapRun;
}

type Input = Record<string, string>;

/** The part of AWS Step Functions that starts and follows one state machine (AWS JSON 1.0), on loopback. */
export class StatesServer {
  readonly #executions = new Map<string, Execution>();
  readonly #machine: { name: string; definition: Definition };
  readonly #world: World;
  readonly #server: Server;
  url = '';

  private constructor(machine: { name: string; definition: Definition }, world: World) {
    this.#machine = machine;
    this.#world = world;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const action = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      try {
        response.end(
          JSON.stringify(this.#act(action, JSON.parse(Buffer.concat(chunks).toString()) as Input)),
        );
      } catch (error) {
        response
          .writeHead(400)
          .end(JSON.stringify({ __type: 'ValidationException', message: String(error) }));
      }
    });
  }

  static async start(machine: { name: string; definition: Definition }, world: World): Promise<StatesServer> {
    const states = new StatesServer(machine, world);
    await new Promise<void>((resolve) => states.#server.listen(0, '127.0.0.1', resolve));
    states.url = `http://127.0.0.1:${(states.#server.address() as AddressInfo).port}`;
    return states;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #arn(): string {
    return `arn:aws:states:us-east-1:000000000000:stateMachine:${this.#machine.name}`;
  }

  #act(action: string, input: Input): unknown {
    switch (action) {
      case 'ListStateMachines':
        // A page of its own for another one: names are looked for on every page.
        return input.nextToken === undefined
          ? { stateMachines: [{ name: 'another', stateMachineArn: `${this.#arn}-another` }], nextToken: '2' }
          : { stateMachines: [{ name: this.#machine.name, stateMachineArn: this.#arn }] };
      case 'StartExecution':
        return this.#start(input);
      case 'DescribeExecution': {
        const { status, output, cause } = this.#execution(input.executionArn);
        return { executionArn: input.executionArn, stateMachineArn: this.#arn, status, output, cause };
      }
      case 'ListMapRuns': {
        const { mapRun } = this.#execution(input.executionArn);
        return { mapRuns: mapRun === undefined ? [] : [{ mapRunArn: mapRun.arn }] };
      }
      case 'DescribeMapRun': {
        const run = [...this.#executions.values()].find(
          ({ mapRun }) => mapRun?.arn === input.mapRunArn,
        )?.mapRun;
        if (run === undefined) throw new Error(`no map run ${input.mapRunArn}`);
        const { total, succeeded, failed } = run.counts;
        const itemCounts = { total, succeeded, failed, pending: 0, running: total - succeeded - failed };
        return { mapRunArn: run.arn, status: run.status, itemCounts };
      }
      default:
        throw new Error(`${action} is not one of this server`);
    }
  }

  #start({ stateMachineArn, input = '' }: Input) {
    if (stateMachineArn !== this.#arn) throw new Error(`no state machine ${stateMachineArn}`);
    const executionArn = `${this.#arn.replace('stateMachine', 'execution')}:${randomUUID()}`;
    const execution: Execution = { status: 'RUNNING' };
    this.#executions.set(executionArn, execution);
    const onMapRun = (run: MapRun) => {
      execution.mapRun = run;
    };
    runMachine(this.#machine.definition, JSON.parse(input), this.#world, onMapRun).then(
      (output) => Object.assign(execution, { status: 'SUCCEEDED', output: JSON.stringify(output) }),
      (error) => Object.assign(execution, { status: 'FAILED', cause: String(error) }),
    );
    return { executionArn, startDate: Date.now() / 1000 };
  }

  #execution(arn: string | undefined): Execution {
    const execution = this.#executions.get(arn ?? '');
    if (execution === undefined) throw new Error(`no execution ${arn}`);
    return execution;
  }
}
